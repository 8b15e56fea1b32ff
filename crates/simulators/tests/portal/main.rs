//! The portal simulator over real sockets: what the services do, and each fault.

mod faults;
mod harness;
mod lifelike;
mod services;
