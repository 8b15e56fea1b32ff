//! The whole edge over in-memory connections: real HTTP/2, real use cases, a real store in memory.

mod admin;
mod limits;
mod push;
mod stream;
mod support;
mod watch;
