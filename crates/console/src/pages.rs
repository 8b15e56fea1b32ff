//! The pages behind the sign-in: one module each, every one asks a use case and shows what it says.

pub(crate) mod actions;
pub(crate) mod destinations;
pub(crate) mod dossiers;
pub(crate) mod form;
pub(crate) mod operations;
pub(crate) mod overview;
pub(crate) mod params;
pub(crate) mod parked;
pub(crate) mod participants;
pub(crate) mod parts;
pub(crate) mod queues;
pub(crate) mod reports;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod usage;
pub(crate) mod words;
