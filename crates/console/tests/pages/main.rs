//! The pages as a browser sees them: a console that listens, over use cases and a store that are real.

mod http;
mod reading;
mod ways;
mod world;
