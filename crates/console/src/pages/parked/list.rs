//! The page of what is parked: groups with one cause, a filter, and the deliveries with a box to tick each.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, OperatorRole};
use lienthong_ports::operators::ParkedGroup;
use lienthong_ports::store::{Parked, ParkedFilter};
use maud::{Markup, html};

use super::selection::AGES_HOURS;
use super::{Selection, Step, steps};
use crate::Shared;
use crate::fault::PageError;
use crate::frame::Frame;
use crate::layout::{self, Button, Column};
use crate::pages::form::{self, Faulty, Field};
use crate::pages::params::{Params, address};
use crate::pages::{parts, words};

/// Deliveries of one page.
const PAGE: usize = 50;
/// Parked deliveries up to which the groups are counted anew for each page; above, those of the last look are shown.
const COUNTED_ANEW_MAX: u64 = 10_000;

/// What the page shows.
pub(super) struct Data {
    pub(super) selection: Selection,
    pub(super) faulty: Faulty,
    pub(super) destinations: Vec<String>,
    pub(super) groups: Vec<ParkedGroup>,
    pub(super) parked: Vec<Parked>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<DeliveryId>,
}

impl Data {
    pub(super) async fn read(
        console: &Shared,
        frame: &Frame,
        params: &Params,
    ) -> Result<Self, PageError> {
        let services = &console.services;
        let operator = &frame.operator;
        let selection = Selection::read(params);
        let overview = services.overview(operator).await?;
        let names = overview.destinations.iter();
        let mut data = Self {
            destinations: names.map(|flow| flow.state.row.name.to_string()).collect(),
            faulty: Faulty::default(),
            groups: Vec::new(),
            parked: Vec::new(),
            next: None,
            selection,
        };
        let filter = match data.selection.filter(frame.now) {
            Ok(filter) => filter,
            Err(faults) => {
                data.faulty = Faulty::of(&faults);
                return Ok(data);
            }
        };
        let total = overview
            .destinations
            .iter()
            .map(|flow| flow.parked)
            .sum::<u64>();
        data.groups = if filter == ParkedFilter::default() && total > COUNTED_ANEW_MAX {
            overview.parked_groups.clone()
        } else {
            services.parked_groups(operator, filter.clone()).await?
        };
        let after = DeliveryId(params.number("after").unwrap_or(0));
        data.parked = services.parked(operator, filter, after, PAGE + 1).await?;
        data.next = parts::cut(&mut data.parked, PAGE, |parked| parked.id);
        Ok(data)
    }
}

pub(super) fn view(frame: &Frame, data: &Data) -> Markup {
    html! {
        p.prose { (frame.t(
            "Lượt gửi bị tạm giữ khi nơi nhận từ chối, khi hết lịch tự gửi lại, hoặc khi bị nghi làm dừng tiến trình gửi. Xem nguyên nhân của từng nhóm, sửa nguyên nhân, rồi chạy thử và chuyển lại.",
            "A delivery is parked when the destination rejects it, when the retry schedule runs out, or when it is suspected of stopping workers. See the cause of each group, mend it, then try a dry run and replay.")) }
        (steps(frame, Step::Choose))
        (form::told(frame, &data.faulty))
        (layout::section(frame.t("Theo nguyên nhân", "By cause"), groups(frame, data)))
        (layout::section(frame.t("Lọc", "Filter"), filter(frame, data)))
        (layout::section(frame.t("Lượt gửi", "Deliveries"), deliveries(frame, data)))
    }
}

fn groups(frame: &Frame, data: &Data) -> Markup {
    let row = |group: &ParkedGroup| {
        let mut chosen = Selection::default();
        group
            .destination
            .as_str()
            .clone_into(&mut chosen.destination);
        chosen.root.clone_from(&group.root);
        group.reason.name().clone_into(&mut chosen.reason);
        chosen.code.clone_from(&group.code);
        let run = chosen.address("/parked/check", &[("kind", "replay")]);
        vec![
            html! { (words::park_reason(frame, group.reason)) },
            html! { @if group.code.is_empty() { (parts::NONE) } @else { (layout::code(&group.code)) } },
            html! { (group.destination) },
            html! { (parts::place(&group.root)) },
            html! { (parts::lasted(frame, group.oldest_parked_at)) },
            html! { a href=(chosen.address("/parked", &[])) { (parts::number(frame, group.deliveries)) } },
            layout::link_button(
                Button::Plain,
                &run,
                frame.t("Chạy thử chuyển lại", "Try a replay"),
            ),
        ]
    };
    let columns = [
        Column::text(frame.t("Lý do", "Reason")),
        Column::narrow(frame.t("Mã lỗi", "Error code")),
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::text(frame.t("Tỉnh, bộ ngành", "Province")),
        Column::number(frame.t("Lâu nhất", "Oldest")),
        Column::number(frame.t("Lượt gửi", "Deliveries")),
        Column::narrow(frame.t("Việc tiếp theo", "Next step")),
    ];
    let rows = data.groups.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Các nhóm tạm giữ, đông nhất ở trên",
        "Groups of what is parked, the largest first",
    );
    layout::table(caption, &columns, &rows, nothing(frame, data))
}

/// Why nothing is listed.
fn nothing(frame: &Frame, data: &Data) -> &'static str {
    if !data.faulty.is_empty() {
        frame.t(
            "Bộ lọc có chỗ chưa đúng nên chưa tìm.",
            "The filter has a fault, so nothing was looked for.",
        )
    } else if data.selection == Selection::default() {
        frame.t(
            "Không có lượt gửi nào bị tạm giữ: mọi trạng thái đã được gửi hoặc đang tự gửi.",
            "Nothing is parked: every status was delivered or is on its way by itself.",
        )
    } else {
        frame.t(
            "Không có lượt gửi tạm giữ nào khớp bộ lọc. Bỏ bớt điều kiện để thấy nhiều hơn.",
            "Nothing that is parked matches the filter. Leave a condition out to see more.",
        )
    }
}

fn filter(frame: &Frame, data: &Data) -> Markup {
    let chosen = &data.selection;
    let all = std::iter::once(("", frame.t("Tất cả", "All")));
    let destinations = data.destinations.iter().map(|name| (&**name, &**name));
    let destinations = all.clone().chain(destinations);
    let provinces = parts::province_choices(frame);
    let reasons = ParkReason::ALL.map(|reason| (reason.name(), words::park_reason(frame, reason)));
    let reasons = all.chain(reasons);
    let any = (String::new(), frame.t("Bất kỳ", "Any").to_owned());
    let ages = AGES_HOURS.map(|hours| (hours.to_string(), age(frame, hours)));
    let ages = std::iter::once(any).chain(ages);
    let faulty = &data.faulty;
    layout::filter(
        "/parked",
        html! {
            (Field::new("destination", frame.t("Nơi nhận", "Destination"), &chosen.destination).choice(frame, faulty, destinations))
            (Field::new("root", frame.t("Tỉnh, thành phố", "Province"), &chosen.root).choice(frame, faulty, provinces))
            (Field::new("procedure", frame.t("Mã thủ tục", "Procedure code"), &chosen.procedure).line(frame, faulty))
            (Field::new("parked", frame.t("Lý do", "Reason"), &chosen.reason).choice(frame, faulty, reasons))
            (Field::new("code", frame.t("Mã lỗi", "Error code"), &chosen.code).line(frame, faulty))
            (Field::new("hours", frame.t("Tạm giữ ít nhất", "Parked at least"), &chosen.hours).choice(frame, faulty, ages))
            (layout::actions(html! {
                (layout::button(Button::Main, frame.t("Lọc", "Filter")))
                (layout::link_button(Button::Quiet, "/parked", frame.t("Bỏ lọc", "Clear")))
            }))
        },
    )
}

fn age(frame: &Frame, hours: u16) -> String {
    if hours < 24 {
        parts::things(frame, hours.into(), "giờ", "hour", "hours")
    } else {
        parts::things(frame, u64::from(hours) / 24, "ngày", "day", "days")
    }
}

/// The deliveries; ticked ones, or all of the filter, go on to a dry run.
fn deliveries(frame: &Frame, data: &Data) -> Markup {
    let rows = data
        .parked
        .iter()
        .map(|parked| row(frame, parked))
        .collect::<Vec<_>>();
    let columns = [
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::text(frame.t("Trạng thái", "Status")),
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::text(frame.t("Lý do", "Reason")),
        Column::text(frame.t("Nơi nhận trả lời", "The destination's answer")),
        Column::number(frame.t("Đã tạm giữ", "Parked for")),
        Column::number(frame.t("Lần gửi", "Attempts")),
        Column::number(frame.t("Chờ phía sau", "Waiting behind")),
    ];
    let caption = frame.t("Lượt gửi đang tạm giữ", "Parked deliveries");
    let table = layout::table(caption, &columns, &rows, nothing(frame, data));
    if data.parked.is_empty() {
        return table;
    }
    let matched = data
        .groups
        .iter()
        .map(|group| group.deliveries)
        .sum::<u64>();
    let next = data.next.map(|id| id.0.to_string());
    let next = next.map(|after| {
        data.selection
            .address("/parked", &[("after", after.as_str())])
    });
    html! {
        form method="get" action="/parked/check" {
            (layout::hidden("chosen", "ids"))
            (buttons(frame))
            (table)
            (buttons(frame))
        }
        (layout::older(frame, next.as_deref()))
        (whole(frame, data, matched))
    }
}

/// What to do with the deliveries that are ticked; above and below the list, which may be long.
fn buttons(frame: &Frame) -> Markup {
    let replay = frame.t(
        "Chạy thử chuyển lại mục đã chọn",
        "Try a replay of those chosen",
    );
    let discard = frame.t(
        "Chạy thử hủy bỏ mục đã chọn",
        "Try a discard of those chosen",
    );
    layout::actions(html! {
        button.main type="submit" name="kind" value="replay" { (replay) }
        @if frame.may(OperatorRole::Operator) {
            button.danger type="submit" name="kind" value="discard" { (discard) }
        }
    })
}

/// The way to act on everything that the filter matches.
fn whole(frame: &Frame, data: &Data, matched: u64) -> Markup {
    let all = parts::deliveries(frame, matched);
    let link = |kind, action| data.selection.address(action, &[("kind", kind)]);
    html! {
        p { (frame.t(format!("Bộ lọc này khớp {all}."), format!("This filter matches {all}."))) }
        (layout::actions(html! {
            (layout::link_button(Button::Plain, &link("replay", "/parked/check"),
                frame.t(format!("Chạy thử chuyển lại cả {all}"), format!("Try a replay of all {all}"))))
            @if frame.may(OperatorRole::Operator) {
                (layout::link_button(Button::Quiet, &link("discard", "/parked/check"),
                    frame.t(format!("Chạy thử hủy bỏ cả {all}"), format!("Try a discard of all {all}"))))
            }
        }))
    }
}

fn row(frame: &Frame, parked: &Parked) -> Vec<Markup> {
    let id = parked.id.to_string();
    let label = frame.t(
        format!(
            "Chọn trạng thái {} của hồ sơ {}",
            parked.sequence, parked.dossier
        ),
        format!(
            "Choose status {} of dossier {}",
            parked.sequence, parked.dossier
        ),
    );
    vec![
        html! {
            input type="checkbox" name="id" value=(id) aria-label=(label); " "
            (parts::dossier(&parked.dossier))
        },
        html! {
            (words::status(frame, parked.status))
            @if let Some(procedure) = &parked.procedure {
                " " span.fine { (frame.t("thủ tục", "procedure")) " "
                    a href=(address("/parked", [("procedure", procedure.as_str())])) { (procedure) } }
            }
        },
        html! { (parked.destination) },
        html! { (words::park_reason(frame, parked.reason)) },
        html! {
            @if !parked.code.is_empty() { (layout::code(&parked.code)) " " }
            (parts::text(&parked.message))
        },
        html! { (parts::lasted(frame, parked.parked_at)) },
        parts::number(frame, parked.attempts.into()),
        parts::number(frame, parked.behind),
    ]
}
