//! The operators' services. Who is an operator is the use cases' decision.

mod deliveries;
mod destinations;
mod participants;
mod queues;

pub(crate) use deliveries::Deliveries;
pub(crate) use destinations::Destinations;
pub(crate) use participants::Participants;
pub(crate) use queues::Queues;
