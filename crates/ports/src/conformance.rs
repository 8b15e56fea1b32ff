//! One suite per seam: what every implementation must show. Test code, behind the feature `conformance`.

pub mod broker;
pub mod identity;
pub mod operators;
pub mod population;
pub mod store;
