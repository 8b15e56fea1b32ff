//! Incidents of the broker: it blocks for want of memory, a queue may not be made again, and it comes back empty.

use lienthong_gateway::config::BrokerKind;
use lienthong_simulators::portal::{Fault, FaultScript};
use lienthong_testkit::rabbitmq::{Node, PrivateRabbit, own};
use tokio::task::block_in_place;

use super::stage::Stage;

const DOSSIERS: usize = 20;

/// A broker that only this game uses, its vhost, and a gateway behind it; `None` where RabbitMQ is not installed.
async fn with_broker() -> Option<(PrivateRabbit, String, Stage)> {
    let rabbit = block_in_place(own).expect("RabbitMQ starts if it must")?;
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let url = rabbit.node().amqp_url(&vhost);
    let stage = Stage::open(|config| {
        config.broker.kind = BrokerKind::Rabbitmq;
        config.broker.rabbitmq.url = url;
        config.broker.rabbitmq.confirm_timeout_ms = 2_000;
    });
    Some((rabbit, vhost, stage.await))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_blocks_and_then_lacks_a_queue() {
    const BLOCKED: &str = "Hàng đợi chặn việc phát bản tin";
    let Some((rabbit, vhost, mut stage)) = with_broker().await else {
        return;
    };
    block_in_place(|| rabbit.node().memory_alarm(true)).unwrap();
    stage.send(DOSSIERS).await;
    stage.fires("BrokerBlocked", "gateway").await;
    let advice =
        "Xem cảnh báo bộ nhớ, ổ đĩa của RabbitMQ (rabbitmq-diagnostics alarms) và gỡ nguyên nhân";
    stage.shows("/", &[BLOCKED, advice]).await;
    stage
        .shows("/queues", &["Đã nối nhưng đang chặn gửi"])
        .await;
    block_in_place(|| rabbit.node().memory_alarm(false)).unwrap();
    stage.ends("BrokerBlocked", "gateway", BLOCKED).await;
    a_queue_is_gone_and_may_not_be_made_again(rabbit.node(), &vhost, &mut stage).await;
    stage.close().await;
    block_in_place(|| drop(rabbit));
}

/// The gateway makes what is missing, unless somebody took its right to.
async fn a_queue_is_gone_and_may_not_be_made_again(node: &Node, vhost: &str, stage: &mut Stage) {
    const GONE: &str = "Cấu hình trên máy chủ hàng đợi không đúng như trục liên thông cần";
    let may_configure = |what| {
        let allow = ["set_permissions", "-p", vhost, "guest", what, ".*", ".*"];
        block_in_place(|| node.ctl(&allow)).unwrap();
    };
    may_configure("^$");
    block_in_place(|| node.ctl(&["delete_queue", "-p", vhost, "work.dvcqg"])).unwrap();
    stage.send(DOSSIERS).await;
    stage.fires("BrokerTopology", "gateway").await;
    let advice = "Chạy lienthong doctor để biết hàng đợi nào sai";
    stage.shows("/", &[GONE, advice]).await;
    let queue = "queue work.dvcqg does not exist";
    stage.shows("/queues", &[queue]).await;
    may_configure(".*");
    stage.ends("BrokerTopology", "gateway", GONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_comes_back_empty() {
    const AWAY: &str = "Mất kết nối tới hàng đợi";
    let Some((mut rabbit, vhost, mut stage)) = with_broker().await else {
        return;
    };
    // A queue that somebody deletes under a living connection is made anew.
    let delete = ["delete_queue", "-p", &vhost, "work.dvcqg"];
    block_in_place(|| rabbit.node().ctl(&delete)).unwrap();
    stage.send(DOSSIERS).await;
    stage.gateway.drained().await;
    // Now with messages in it, and with everything else gone, too.
    let slow = Fault::Delay {
        ms_min: 300,
        ms_max: 600,
    };
    let portal = &stage.gateway.portal;
    portal.set_faults(FaultScript::always(slow)).unwrap();
    stage.send(DOSSIERS).await;
    block_in_place(|| rabbit.wipe()).unwrap();
    stage.fires("BrokerDisconnected", "gateway").await;
    let advice = "Kiểm tra máy chủ RabbitMQ và đường mạng, chạy lienthong doctor";
    stage.shows("/", &[AWAY, advice]).await;
    stage
        .shows("/queues", &["Mất kết nối, đang tự nối lại", &vhost])
        .await;
    // Whoever operates the broker makes the vhost; queues and policies are the gateway's to make.
    let node = rabbit.node();
    block_in_place(|| node.create_vhosts(std::slice::from_ref(&vhost))).unwrap();
    let portal = &stage.gateway.portal;
    portal.set_faults(FaultScript::default()).unwrap();
    stage.ends("BrokerDisconnected", "gateway", AWAY).await;
    stage.close().await;
    block_in_place(|| drop(rabbit));
}
