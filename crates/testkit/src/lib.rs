#![doc = include_str!("../README.md")]

pub mod ports;
pub mod prometheus;
pub mod rabbitmq;
mod steered;
