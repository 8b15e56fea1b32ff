//! `ListUsage`: who looked at a citizen.

use lienthong_domain::identity::{IdNumber, UsageId};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{Faults, Timestamp};
use lienthong_identity::UsageRequest;
use lienthong_proto::identity::v1 as proto;
use lienthong_services::Error;

use super::Citizens;
use crate::caller::Context;
use crate::convert::identity as convert;
use crate::convert::{instant, under};
use crate::dossier::invalid;
use crate::pages::{self, List};

impl Citizens {
    pub(super) async fn usage_page(
        &self,
        context: &Context,
        asked: &proto::ListUsageRequest,
    ) -> Result<proto::ListUsageResponse, Error> {
        let size = pages::page_size(asked.page_size).map_err(invalid)?;
        let filter = Filter::from_proto(asked).map_err(invalid)?;
        let mut inquiry_faults = Faults::new();
        let inquiry = under(
            &mut inquiry_faults,
            || "inquiry".to_owned(),
            |own| convert::inquiry_from_proto(asked.inquiry.as_ref(), own),
        );
        let Some(inquiry) = inquiry.filter(|_| inquiry_faults.is_empty()) else {
            return Err(invalid(inquiry_faults));
        };
        // The number is not part of the token: a token only says where to go on.
        let shape = (&asked.participant_id, &asked.since);
        let before = pages::after_number(List::Usage, &shape, &asked.page_token)?;
        let request = UsageRequest {
            inquiry,
            number: filter.number,
            participant: filter.participant,
            since: filter.since,
            before: (before > 0).then_some(UsageId(before)),
            limit: size,
            request_id: context.request.to_string(),
        };
        let found = self
            .identity
            .usage(&context.caller, request, context.answer_by)
            .await?
            .rows;
        let last = found.last().map(|row| row.id.0.to_string());
        Ok(proto::ListUsageResponse {
            records: found.iter().map(convert::usage_to_proto).collect(),
            next_page_token: pages::next_token(List::Usage, &shape, (found.len(), size), last),
        })
    }
}

/// Which records are wanted.
struct Filter {
    number: Option<IdNumber>,
    participant: Option<ParticipantId>,
    since: Option<Timestamp>,
}

impl Filter {
    fn from_proto(asked: &proto::ListUsageRequest) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let named = |text: &str| !text.trim().is_empty();
        let number = named(&asked.number)
            .then(|| faults.check("number", IdNumber::parse(&asked.number)))
            .flatten();
        let participant = named(&asked.participant_id)
            .then(|| {
                faults.check(
                    "participant_id",
                    ParticipantId::parse(&asked.participant_id),
                )
            })
            .flatten();
        let since = instant(&mut faults, "since", asked.since.as_ref());
        faults.into_result(Self {
            number,
            participant,
            since,
        })
    }
}
