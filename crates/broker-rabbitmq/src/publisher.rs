//! The one task that owns the publish connection and its one confirm channel.
//!
//! Calls come in by a bounded queue. While there is no session, and while the broker blocks publishers, they
//! are refused at once: nothing is handed to lapin then, so the broker certainly does not have it.

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use lapin::Channel;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lienthong_ports::{Message, Published};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::Failure;
use crate::link::{Change, Link, step};
use crate::message_id;
use crate::publisher::window::{Slot, Window};
use crate::reconnect::Reconnect;
use crate::status::{Side, Status};
use crate::topology::{Topology, WORK_EXCHANGE};

mod window;

/// The broker keeps the message over its own restart.
const PERSISTENT: u8 = 2;

/// Messages for one queue, and where the answers go.
pub(crate) struct Request {
    pub(crate) queue: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) reply: oneshot::Sender<Vec<Published>>,
}

impl Request {
    fn refuse(self) {
        self.reply
            .send(vec![Published::Refused; self.messages.len()])
            .ok();
    }
}

pub(crate) struct Publisher {
    pub(crate) config: Config,
    pub(crate) topology: Topology,
    pub(crate) status: Arc<Status>,
    pub(crate) stop: CancellationToken,
}

/// What a session works on besides its window.
struct Session<'a> {
    link: Link,
    channel: Channel,
    /// Messages of the call at hand, not yet given to lapin: at most one call.
    backlog: VecDeque<(Message, Slot)>,
    queue: ShortString,
    blocked: bool,
    publisher: &'a Publisher,
}

impl Publisher {
    /// Publishes what comes in by `requests` until it is told to stop.
    pub(crate) async fn run(self, mut requests: mpsc::Receiver<Request>) {
        let mut reconnect = Reconnect::new();
        let mut first = true;
        loop {
            let mut began = None;
            let opened = Box::pin(refusing(&mut requests, self.open()));
            let ended = match self.stop.run_until_cancelled(opened).await {
                None => break,
                Some(Err(failure)) => Err(failure),
                Some(Ok((link, channel))) => {
                    began = Some(Instant::now());
                    self.status.up(Side::Publish, first);
                    first = false;
                    self.session(link, channel, &mut requests).await
                }
            };
            self.status.down(Side::Publish, ended.as_ref().err());
            let pause = refusing(&mut requests, sleep(reconnect.delay_after(began)));
            if self.stop.run_until_cancelled(pause).await.is_none() {
                break;
            }
        }
        requests.close();
        while let Some(request) = requests.recv().await {
            request.refuse();
        }
    }

    async fn open(&self) -> Result<(Link, Channel), Failure> {
        let timeout = self.config.step_timeout;
        let link = Link::connect(&self.config, "publish").await?;
        self.topology.declare(&link.connection).await?;
        let channel = step(timeout, link.connection.create_channel()).await?;
        step(
            timeout,
            channel.confirm_select(ConfirmSelectOptions::default()),
        )
        .await?;
        Ok((link, channel))
    }

    async fn session(
        &self,
        link: Link,
        channel: Channel,
        requests: &mut mpsc::Receiver<Request>,
    ) -> Result<(), Failure> {
        let mut window = Window::default();
        let mut session = Session {
            link,
            channel,
            backlog: VecDeque::new(),
            queue: ShortString::default(),
            blocked: false,
            publisher: self,
        };
        let ended = session.pump(&mut window, requests).await;
        session.refuse_backlog(&mut window);
        window.abandon();
        session.link.close(self.config.step_timeout).await;
        ended
    }
}

impl Session<'_> {
    /// Publishes and judges until the channel ends, or until a stop has drained the window.
    async fn pump(
        &mut self,
        window: &mut Window,
        requests: &mut mpsc::Receiver<Request>,
    ) -> Result<(), Failure> {
        let stop = &self.publisher.stop;
        loop {
            self.launch(window);
            let stopping = stop.is_cancelled();
            if stopping && window.len() == 0 {
                return Ok(());
            }
            let deadline = window.deadline(!self.blocked);
            let due = deadline.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                judged = poll_fn(|context| window.poll_judged(context)) => judged?,
                change = self.link.changed() => self.change(change?, window),
                () = sleep_until(due), if deadline.is_some() => self.overdue(window)?,
                Some(request) = requests.recv(), if self.backlog.is_empty() && !stopping => {
                    self.begin(request, window);
                }
                () = stop.cancelled(), if !stopping => self.refuse_backlog(window),
            }
            let missing = window.take_missing();
            if !missing.is_empty() {
                self.mend(&missing).await?;
            }
        }
    }

    /// Hands as much of the backlog to lapin as the window has room for.
    fn launch(&mut self, window: &mut Window) {
        let config = &self.publisher.config;
        while window.len() < config.window && !window.is_draining() && !self.blocked {
            let Some((message, slot)) = self.backlog.pop_front() else {
                return;
            };
            let (channel, queue) = (self.channel.clone(), self.queue.clone());
            // lapin puts the frames in line when this is first polled, which the window does in
            // order and only from this task; sharing a confirm channel would credit confirms wrongly.
            let confirm = async move { publish(&channel, queue, message).await?.await };
            let deadline = Instant::now() + config.confirm_timeout;
            window.launch(message, slot, deadline, confirm.boxed());
        }
    }

    fn begin(&mut self, request: Request, window: &mut Window) {
        if self.blocked {
            return request.refuse();
        }
        let slots = window.begin(request.messages.len(), request.reply);
        self.backlog = request.messages.into_iter().zip(slots).collect();
        self.queue = request.queue.into();
    }

    fn change(&mut self, change: Change, window: &mut Window) {
        match change {
            Change::Blocked(reason) => {
                self.blocked = true;
                self.publisher.status.blocked(Some(&reason));
                self.refuse_backlog(window);
            }
            Change::Unblocked => {
                self.blocked = false;
                self.publisher.status.blocked(None);
                window.extend(Instant::now() + self.publisher.config.confirm_timeout);
            }
        }
    }

    /// A blocked broker reads nothing, so its connection stays; otherwise the channel is broken.
    fn overdue(&self, window: &mut Window) -> Result<(), Failure> {
        if !self.blocked {
            return Err(Failure::ConfirmTimedOut);
        }
        window.expire(Instant::now());
        Ok(())
    }

    /// Messages came back because a queue or binding is missing: declare everything again.
    async fn mend(&mut self, missing: &BTreeSet<ShortString>) -> Result<(), Failure> {
        let Publisher {
            topology, status, ..
        } = self.publisher;
        for queue in missing {
            status.unroutable(queue.as_str());
        }
        topology.declare(&self.link.connection).await?;
        for queue in missing {
            status.made_again(queue.as_str());
        }
        Ok(())
    }

    fn refuse_backlog(&mut self, window: &mut Window) {
        for (_, slot) in self.backlog.drain(..) {
            window.answer(slot, Published::Refused);
        }
    }
}

async fn publish(
    channel: &Channel,
    queue: ShortString,
    message: Message,
) -> lapin::Result<lapin::PublisherConfirm> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = message_id::properties(message).with_delivery_mode(PERSISTENT);
    channel
        .basic_publish(WORK_EXCHANGE.into(), queue, options, &[], properties)
        .await
}

/// Runs `work` and refuses every request that comes meanwhile.
async fn refusing<T>(requests: &mut mpsc::Receiver<Request>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            Some(request) = requests.recv() => request.refuse(),
        }
    }
}
