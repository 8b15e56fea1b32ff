//! The commands about operations against the fake, and how a selection is told.

use lienthong_proto::admin::v1::DeliveryIdList;

use super::*;
use crate::fake::FakeGateway;

#[tokio::test]
async fn an_operation_is_listed_approved_followed_and_cancelled() {
    let gateway = FakeGateway::kind().await;
    gateway.duty().needs_approval = true;
    let discard = [
        "parked",
        "discard",
        "--id",
        "42",
        "--reason",
        "hồ sơ thử",
        "--yes",
    ];
    assert_eq!(gateway.run(&discard).await.exit, Exit::Later);
    let listed = gateway.run(&["operations", "list"]).await;
    let expected = "\
operation  what     state              matched  moved  left alone  asked by    asked at             reason
        1  discard  awaiting approval        3      0           0  G15/hotich  20/11/2026 08:30:00  hồ sơ thử
";
    assert_eq!(listed.data, expected);
    let approve = ["operations", "approve", "1", "--reason", "đã xem"];
    let approved = gateway.run(&approve).await;
    assert!(
        approved.data.contains("account:phe.duyet: đã xem"),
        "{}",
        approved.data
    );
    let shown = gateway.run(&["operations", "show", "1", "--follow"]).await;
    assert_eq!(shown.exit, Exit::Ok);
    assert!(
        shown.data.contains("2 of 3, 1 left alone"),
        "{}",
        shown.data
    );
    let cancel = ["operations", "cancel", "1", "--reason", "nhầm", "--json"];
    let cancelled = gateway.run(&cancel).await.object();
    assert_eq!(cancelled["state"], "OPERATION_STATE_CANCELLED");
    let follow = ["operations", "show", "1", "--follow"];
    assert_eq!(gateway.run(&follow).await.exit, Exit::NotSo);
    let unknown = gateway.run(&["operations", "show", "9"]).await;
    assert_eq!(unknown.exit, Exit::DataRefused);
}

#[test]
fn a_selection_is_told_as_the_options_that_name_it() {
    let told = |selection| {
        selected(&Operation {
            selection: Some(DeliverySelection {
                selection: Some(selection),
            }),
            ..Operation::default()
        })
    };
    let ids = DeliveryIdList {
        delivery_ids: vec![1, 2],
    };
    assert_eq!(told(Selection::Ids(ids)), "--id 1 --id 2");
    assert_eq!(told(Selection::Filter(ParkedFilter::default())), "--all");
    let filter = ParkedFilter {
        province_code: "H56".into(),
        error_group: "REJECTED/-1".into(),
        ..ParkedFilter::default()
    };
    let expected = "--province H56 --error-group REJECTED/-1";
    assert_eq!(told(Selection::Filter(filter)), expected);
}
