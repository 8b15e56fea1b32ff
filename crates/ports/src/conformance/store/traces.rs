//! Promises about the trace that goes with an event.

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DossierStatus, TraceContext};

use super::Subject;
use super::fixture::{Lane, at, code, finish, offer};
use crate::store::{Next, Offer};

fn context(trace: u8) -> TraceContext {
    TraceContext {
        trace_id: [trace; 16],
        span_id: [trace + 1; 8],
        sampled: trace.is_multiple_of(2),
    }
}

/// Claims and attempts carry the trace of their event, and an attempt the span of the one before it.
pub async fn a_trace_goes_with_its_event(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    for (second, trace) in [(0, Some(context(2))), (1, Some(context(3))), (2, None)] {
        let key = format!("key-{second}");
        let offer = Offer {
            trace,
            ..offer(&key, &code(1), DossierStatus::Processing, second)
        };
        lane.offer(offer).await.expect("it is new and allowed");
    }
    let expected = [
        (Some(context(2)), None),
        (Some(context(2)), Some([7; 8])),
        // An attempt without a span leaves the last one that had one.
        (Some(context(2)), Some([7; 8])),
        (Some(context(3)), None),
        (None, None),
    ];
    let ends = [(true, Some([7; 8])), (true, None), (false, Some([9; 8]))];
    let ends = ends.into_iter().chain([(false, None); 2]);
    for ((second, (trace, last)), (again, span_id)) in (10..).zip(expected).zip(ends) {
        let message = lane.claim_one(second).await;
        assert_eq!(message.trace, trace, "a claim at {second}");
        let work = lane.begin(message, second).await.expect("a fresh claim");
        assert_eq!(
            (work.trace, work.last_span_id),
            (trace, last),
            "at {second}"
        );
        let next = if again {
            Next::RetryAt {
                at: at(second),
                counted: true,
            }
        } else {
            Next::Done
        };
        let mut finish = finish(message, next, second);
        finish.span_id = span_id;
        let done = lane.store.finish(vec![finish]).await.expect("finish");
        assert_eq!(done, [true]);
    }
}

/// The trace is no part of an event's content: the same event of another call is the same event, and stays in
/// the trace of the first.
pub async fn a_repeated_offer_keeps_the_first_trace(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    for (trace, duplicate) in [(2, false), (4, true)] {
        let offer = Offer {
            trace: Some(context(trace)),
            ..offer("key", &code(1), DossierStatus::Processing, 0)
        };
        let receipt = lane.offer(offer).await.expect("the same content");
        assert_eq!(receipt.duplicate, duplicate);
    }
    assert_eq!(lane.claim_one(10).await.trace, Some(context(2)));
}
