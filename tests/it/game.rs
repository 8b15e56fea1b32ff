//! The fault game: twelve incidents that an operator on duty meets, each played on the whole gateway.
//!
//! For each: statuses flow; something breaks; the product's own alert fires in a real Prometheus; the console names the
//! problem in Vietnamese and says what to do; that is done; the alert ends; and everything that was ever accepted is at
//! the portal, once and in order. A seed decides dossiers and order, and is printed with a failure.

mod broker;
mod machine;
mod portal;
mod province;
mod stage;
mod traffic;
