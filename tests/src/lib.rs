//! Tests of the whole product live in `it/`, `sim/` and the programs beside them.

pub mod bench;
pub mod harness;
pub mod kill;
