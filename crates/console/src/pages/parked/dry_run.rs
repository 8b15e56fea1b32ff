//! The dry run: what would be replayed or discarded, what the destination would see twice, what would lose its order;
//! below it the fields for reason and rate.

use lienthong_domain::OperatorRole;
use lienthong_ports::operators::{APPROVAL_SPAN, OperationKind, Preview};
use lienthong_ports::store::{ParkedFilter, ReplayItem};
use lienthong_services::approval::Approval;
use lienthong_services::operations::PER_SECOND_MAX;
use maud::{Markup, html};

use super::choosing::Choosing;
use super::{Step, described, steps, unreadable};
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button, Column, figure};
use crate::pages::form::{self, Faulty, Field};
use crate::pages::parts;

/// Deliveries shown of those that would be moved.
const SAMPLE: usize = 20;

/// What the dry run found.
pub(super) struct Data {
    pub(super) preview: Preview,
    pub(super) filter: ParkedFilter,
    /// Whether a second person would be needed, were the reader to ask for it now.
    pub(super) approval: Approval,
}

impl Data {
    pub(super) async fn read(
        console: &Shared,
        frame: &Frame,
        choosing: &Choosing,
    ) -> Result<Self, PageError> {
        let filter = choosing.selection.filter(frame.now).map_err(unreadable)?;
        let services = &console.services;
        let (kind, asked) = (choosing.kind, filter.clone());
        let reorder = choosing.allow_out_of_order;
        let preview = services.preview(&frame.operator, kind, asked, reorder, SAMPLE);
        let preview = preview.await?;
        let approval = services.approval(&frame.operator, kind, preview.matches);
        Ok(Self {
            approval: approval.await?,
            preview,
            filter,
        })
    }

    /// Deliveries that would be moved.
    pub(super) fn moved(&self, choosing: &Choosing) -> u64 {
        let left = match choosing.kind {
            OperationKind::Replay if !choosing.allow_out_of_order => self.preview.reorders,
            OperationKind::Replay | OperationKind::Discard => 0,
        };
        self.preview.matches.saturating_sub(left)
    }
}

pub(super) fn view(frame: &Frame, data: &Data, choosing: &Choosing, faulty: &Faulty) -> Markup {
    let preview = &data.preview;
    if preview.matches == 0 {
        return html! {
            (steps(frame, Step::DryRun))
            (layout::note(Tone::Warning, html! { (super::nothing_matches(frame)) }))
            (layout::actions(layout::link_button(Button::Main, "/parked", frame.t("Về trang Tạm giữ", "Back to Parked"))))
        };
    }
    html! {
        (steps(frame, Step::DryRun))
        (form::told(frame, faulty))
        (layout::note(Tone::Info, html! { (frame.t(
            "Đây là chạy thử: chưa có gì thay đổi.", "This is a dry run: nothing has changed.")) }))
        (layout::section(frame.t("Sẽ xảy ra gì", "What would happen"), outcome(frame, data, choosing)))
        (layout::section(frame.t("Lượt gửi đầu tiên", "The first deliveries"), sample(frame, choosing, &preview.items)))
        (layout::section(frame.t("Lý do và tốc độ", "Reason and rate"), terms(frame, data, choosing, faulty)))
    }
}

fn outcome(frame: &Frame, data: &Data, choosing: &Choosing) -> Markup {
    let preview = &data.preview;
    let number = |value: u64| format::number(frame.language, value);
    let (moved, is_replay) = (data.moved(choosing), choosing.kind == OperationKind::Replay);
    let name = if is_replay {
        frame.t("Sẽ chuyển lại", "Would be replayed")
    } else {
        frame.t("Sẽ hủy bỏ", "Would be discarded")
    };
    let careful = |count: u64| {
        if count > 0 {
            Tone::Warning
        } else {
            Tone::Neutral
        }
    };
    html! {
        (layout::figures(html! {
            (figure(Tone::Info, name, number(moved)))
            @if is_replay {
                (figure(careful(preview.repeats), frame.t("Nơi nhận có thể đã thấy", "May have been seen already"), number(preview.repeats)))
                (figure(careful(preview.reorders), frame.t("Trái thứ tự", "Out of order"), number(preview.reorders)))
            }
            (figure(Tone::Neutral, frame.t("Chờ phía sau, sẽ đi tiếp", "Wait behind, may follow"), number(preview.behind)))
        }))
        ul { @for sentence in sentences(frame, data, choosing) { li { (sentence) } } }
        details {
            summary { (frame.t("Phạm vi đã chọn", "What was chosen")) }
            (described(frame, &data.filter))
        }
    }
}

/// The figures in plain sentences.
fn sentences(frame: &Frame, data: &Data, choosing: &Choosing) -> Vec<String> {
    let preview = &data.preview;
    let count = |value: u64| parts::deliveries(frame, value);
    let mut told = Vec::new();
    if choosing.kind == OperationKind::Discard {
        told.push(frame.t(
            format!("Nơi nhận sẽ không bao giờ nhận {} này. Không lấy lại được; các trạng thái sau của cùng hồ sơ được gửi tiếp.", count(preview.matches)),
            format!("The destination will never receive {}. This cannot be taken back; later statuses of the same dossiers go on.", count(preview.matches)),
        ));
    } else {
        told.push(frame.t(
            "Mỗi hồ sơ được gửi theo đúng thứ tự; lịch tự gửi lại bắt đầu lại từ đầu.".to_owned(),
            "Each dossier is delivered in its order; the retry schedule begins anew.".to_owned(),
        ));
        if preview.repeats > 0 {
            told.push(frame.t(
                format!("{} có thể đã tới nơi nhận ở lần trước: nơi nhận thấy lại cùng khóa chống trùng và số thứ tự, nên không ghi hai lần.", count(preview.repeats)),
                format!("{} may have reached the destination before: it sees the same key and sequence again and need not write twice.", count(preview.repeats)),
            ));
        }
        if preview.reorders > 0 {
            let about = count(preview.reorders);
            told.push(if choosing.allow_out_of_order {
                frame.t(
                    format!("{about} cũ hơn trạng thái đã gửi xong và vẫn sẽ được gửi, trái thứ tự."),
                    format!("{about} are older than a status that was delivered, and would be sent all the same, out of order."),
                )
            } else {
                frame.t(
                    format!("{about} cũ hơn trạng thái đã gửi xong nên sẽ được để nguyên; đánh dấu ô bên dưới nếu vẫn muốn gửi."),
                    format!("{about} are older than a status that was delivered, and would be left alone; tick the box below to send them all the same."),
                )
            });
        }
    }
    if data.approval.needed {
        told.push(approval(frame, data.approval));
    }
    told
}

/// Why a second person is needed.
fn approval(frame: &Frame, approval: Approval) -> String {
    let above = parts::deliveries(frame, approval.above);
    if approval.asked_before == 0 {
        return frame.t(
            format!("Trên {above} thì cần một người thứ hai phê duyệt trước khi chạy."),
            format!("Above {above} a second person has to approve before it runs."),
        );
    }
    let before = parts::deliveries(frame, approval.asked_before);
    let hours = APPROVAL_SPAN.as_secs() / 3_600;
    frame.t(
        format!("Trong {hours} giờ qua bạn đã đề nghị {before} mà không cần ai phê duyệt; cùng với đợt này là trên {above}, nên cần một người thứ hai phê duyệt trước khi chạy."),
        format!("Within the last {hours} hours you asked for {before} that nobody had to approve; with these it is more than {above}, so a second person has to approve before it runs."),
    )
}

fn sample(frame: &Frame, choosing: &Choosing, items: &[ReplayItem]) -> Markup {
    let is_replay = choosing.kind == OperationKind::Replay;
    let yes_no = |holds: bool, tone| {
        if holds {
            layout::badge(tone, frame.t("có", "yes"))
        } else {
            html! { (frame.t("không", "no")) }
        }
    };
    let row = |item: &ReplayItem| {
        let mut cells = vec![parts::dossier(&item.dossier), html! { (item.sequence) }];
        if is_replay {
            cells.extend([
                yes_no(item.replayed, Tone::Good),
                yes_no(item.repeats, Tone::Warning),
                yes_no(item.reorders, Tone::Warning),
            ]);
        }
        cells
    };
    let mut columns = vec![
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::number(frame.t("Số thứ tự", "Sequence")),
    ];
    if is_replay {
        columns.extend([
            Column::text(frame.t("Chuyển lại", "Replayed")),
            Column::text(frame.t("Có thể đã thấy", "May be seen twice")),
            Column::text(frame.t("Trái thứ tự", "Out of order")),
        ]);
    }
    let rows = items.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        format!("Tối đa {SAMPLE} lượt gửi đầu tiên"),
        format!("The first deliveries, {SAMPLE} at most"),
    );
    let empty = frame.t(
        "Không có lượt gửi nào để cho xem.",
        "There is none to show.",
    );
    layout::table(caption, &columns, &rows, empty)
}

fn terms(frame: &Frame, data: &Data, choosing: &Choosing, faulty: &Faulty) -> Markup {
    if !frame.may(OperatorRole::Operator) {
        return layout::note(
            Tone::Neutral,
            html! { (frame.t(
            "Vai trò của bạn chỉ được xem và chạy thử; người vận hành mới được chuyển lại hoặc hủy bỏ.",
            "Your role may look and try; an operator replays and discards.")) },
        );
    }
    let is_replay = choosing.kind == OperationKind::Replay;
    let reason_hint = frame.t(
        "Ví dụ: cổng đã sửa lỗi tiếp nhận lúc 14:00. Ghi vào nhật ký thao tác; không ghi dữ liệu cá nhân.",
        "Such as: the portal mended its intake at 14:00. It goes into the record of actions; no personal data.",
    );
    let rate_hint = frame.t(
        "Số lượt mỗi giây, để nơi nhận không bị dồn; sau khi sự cố vừa hết nên chọn thấp.",
        "How many a second, so that the destination is not flooded; choose low right after an incident.",
    );
    let reason = Field::new("reason", frame.t("Lý do", "Reason"), &choosing.reason)
        .hint(reason_hint)
        .required();
    let rate = Field::new(
        "per_second",
        frame.t("Tốc độ, lượt mỗi giây", "Rate, deliveries a second"),
        &choosing.per_second,
    )
    .hint(rate_hint)
    .required();
    let order = frame.t(
        "Gửi cả lượt trái thứ tự (nơi nhận có thể lùi về trạng thái cũ)",
        "Send those out of order too (the destination may fall back to an older status)",
    );
    layout::post(
        frame,
        "/parked/confirm",
        html! {
            (choosing.hidden())
            (reason.reason(frame, faulty))
            (rate.number(frame, faulty, 1, PER_SECOND_MAX))
            @if is_replay && data.preview.reorders > 0 {
                (layout::checkbox("out_of_order", order, choosing.allow_out_of_order))
            }
            (layout::actions(html! {
                (layout::button(Button::Main, frame.t("Xem lại và xác nhận", "Review and confirm")))
                (layout::link_button(Button::Quiet, "/parked", frame.t("Thôi, quay lại", "No, go back")))
            }))
        },
    )
}
