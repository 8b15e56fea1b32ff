#![doc = include_str!("../README.md")]

mod masked;

pub use generated::{admin, dossier, identity, population};

/// The contract as an encoded `google.protobuf.FileDescriptorSet`, imports and comments included: what gRPC reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lienthong.bin"));

/// One module per package, nested as the packages are, because generated code refers to its neighbours by `super`.
#[expect(
    clippy::pedantic,
    clippy::large_enum_variant,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    unused_qualifications,
    reason = "tonic-prost-build writes this code; what has to be clean is the contract, and tests/contract.rs sees to that"
)]
mod generated {
    /// `lienthong.dossier`: what provincial case systems call.
    pub mod dossier {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("lienthong.dossier.v1");
        }
    }

    /// `lienthong.identity`: what those call who must know who a person is.
    pub mod identity {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("lienthong.identity.v1");
        }
    }

    /// `lienthong.population`: what a gateway calls where the population database may be reached.
    pub mod population {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("lienthong.population.v1");
        }
    }

    /// `lienthong.admin`: what operators call.
    pub mod admin {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("lienthong.admin.v1");
        }
    }
}
