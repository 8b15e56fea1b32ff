#![doc = include_str!("../README.md")]

pub mod args;
pub mod commands;
pub mod config;
pub mod demo;
pub mod exit;
pub mod telemetry;
pub mod wire;
