//! Verification jobs as the edges see them, over a store in memory, a bad broker and a scripted database.

mod broker;
mod database;
mod doors;
mod limits;
mod pace;
mod simulation;
mod store;
mod world;
