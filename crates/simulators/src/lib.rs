#![doc = include_str!("../README.md")]

mod dice;
mod error;
mod listener;
pub mod openid;
pub mod population;
pub mod portal;
mod trace;
