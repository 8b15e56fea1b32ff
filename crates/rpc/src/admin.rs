//! The operators' services. Who is an operator, and how far its role reaches, is the use cases' decision.

mod audit;
mod deliveries;
mod destinations;
mod operations;
mod overviews;
mod participants;
mod queues;
mod reports;

pub(crate) use audit::Audit;
pub(crate) use deliveries::Deliveries;
pub(crate) use destinations::Destinations;
pub(crate) use operations::Operations;
pub(crate) use overviews::Overviews;
pub(crate) use participants::Participants;
pub(crate) use queues::Queues;
pub(crate) use reports::Reports;
