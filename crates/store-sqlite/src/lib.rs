#![doc = include_str!("../README.md")]

mod config;
mod connection;
mod core;
mod days;
mod destinations;
mod error;
mod figures;
mod identity_rows;
mod inline;
mod integrity;
mod job;
mod migrate;
mod operation_rows;
mod queries;
mod readers;
mod rows;
mod sealed;
mod store;
mod tally;
mod threads;
mod writer;

pub use config::{
    Config, DESTINATIONS_MAX, LOCK_WAIT_MS_MAX, LOG_PAGES_CHECKPOINT, LOG_PAGES_MAX, MEMORY,
    QUERIES_WAITING_MAX, READER_CACHE_KIB, WRITER_CACHE_KIB,
};
pub use error::OpenError;
pub use integrity::{Integrity, integrity};
pub use store::SqliteStore;
