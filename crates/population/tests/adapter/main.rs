//! The adapter from outside: against the simulated database, against a desk that says anything, and over gRPC.

#[cfg(test)]
mod canary;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod instance;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod soap;
#[cfg(test)]
mod support;
