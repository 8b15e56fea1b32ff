//! The promises of identity, over a real store in memory and a population database on a leash.

mod database;
mod guards;
mod questions;
mod world;
