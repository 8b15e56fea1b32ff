#![doc = include_str!("../README.md")]

pub mod channel;
pub mod clock;
pub mod code;
pub mod delivery;
pub mod details;
pub mod error_code;
pub mod event;
pub mod fault;
pub mod identity;
pub mod ids;
pub mod money;
pub mod operator;
pub mod participant;
pub mod procedure;
pub mod province;
pub mod status;
pub mod text;
pub mod time;
pub mod timeline;
pub mod trace;
pub mod working_time;

pub use clock::Clock;
pub use code::{AgencyCode, DossierCode, ProcedureCode};
pub use delivery::{Answer, DeliveryId, DeliveryState, DestinationName, Fence, Outcome};
pub use details::DossierDetails;
pub use error_code::ErrorCode;
pub use event::StatusEvent;
pub use fault::{Faults, Reason};
pub use ids::{EventId, Random};
pub use jiff::Timestamp;
pub use operator::{Operator, OperatorRole};
pub use status::DossierStatus;
pub use text::{Private, Text};
pub use trace::TraceContext;
pub use working_time::WorkingCalendar;
