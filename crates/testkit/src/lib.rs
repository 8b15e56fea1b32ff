#![doc = include_str!("../README.md")]

pub mod prometheus;
pub mod rabbitmq;
