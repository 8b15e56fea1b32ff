//! `Debug` for the messages that carry personal data: codes, states and instants are shown, people and texts are not.
//! The list of these messages is in `build.rs`; `tests/masked.rs` proves that nothing else comes through.

use std::fmt;

use crate::dossier::v1::{
    Applicant, Attempt, DossierDetails, Identity, OtherPaper, ProgressLine, ResultPaper,
    StatusEvent, SubmittedDocument, Supplement,
};
use crate::identity::v1::{Citizen, Claims, ListUsageRequest, Place, Relative};

/// Implements `Debug` with the named fields, or with the enumeration getters after `;`, and `..` for the rest.
macro_rules! masked_debug {
    ($message:ident { $($field:ident),* ; $($enumeration:ident),* }) => {
        impl fmt::Debug for $message {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .debug_struct(stringify!($message))
                    $(.field(stringify!($field), &self.$field))*
                    $(.field(stringify!($enumeration), &self.$enumeration()))*
                    .finish_non_exhaustive()
            }
        }
    };
}

masked_debug!(StatusEvent { dossier_code, occurred_at, source_sequence, progress, details; status });
masked_debug!(ProgressLine { started_at, due_at; });
masked_debug!(DossierDetails {
    procedure_code, field_code, applicant, submitted_at, received_at, due_at, finished_at, returned_at, refused_at,
    database_links, submitted_documents, fees, other_papers, supplements, results;
    channel, return_method, online_payment
});
masked_debug!(Applicant { identities; kind });
masked_debug!(Identity { ; kind });
masked_debug!(SubmittedDocument { component_code, deleted, digitised; });
masked_debug!(OtherPaper { quantity, kind_code; });
masked_debug!(Supplement { requested_at, received_at, state_code, papers, fees; });
masked_debug!(ResultPaper { component_code, result_code; });
masked_debug!(Attempt { number, started_at, duration, answer_code, http_status; outcome });
masked_debug!(Claims { ; });
masked_debug!(Citizen { ; });
masked_debug!(Place { ; });
masked_debug!(Relative { ; });
masked_debug!(ListUsageRequest { inquiry, participant_id, since, page_size; });
