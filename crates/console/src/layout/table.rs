//! Tables: a caption, headed columns, and a sentence where there is nothing.

use maud::{Markup, Render, html};

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column<'a> {
    title: &'a str,
    class: &'static str,
}

impl<'a> Column<'a> {
    /// Text, from the left.
    pub(crate) fn text(title: &'a str) -> Self {
        Self {
            title,
            class: "text",
        }
    }

    /// Numbers, from the right, digits below digits.
    pub(crate) fn number(title: &'a str) -> Self {
        Self {
            title,
            class: "number",
        }
    }

    /// Text that is not broken, such as a code or a badge; an instant may stand above its age.
    pub(crate) fn narrow(title: &'a str) -> Self {
        Self {
            title,
            class: "narrow",
        }
    }
}

/// A table; each row has as many cells as there are columns, and its first cell names the row. On a narrow screen each
/// row becomes a card whose cells carry the titles of their columns. `empty` is said where there are no rows.
pub(crate) fn table(
    caption: impl Render,
    columns: &[Column<'_>],
    rows: &[Vec<Markup>],
    empty: &str,
) -> Markup {
    html! {
        @if rows.is_empty() {
            p.empty { (empty) }
        } @else {
            table {
                caption { (caption) }
                thead { tr { @for column in columns { th.(column.class) scope="col" { (column.title) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (index, (column, cell)) in columns.iter().zip(row).enumerate() {
                                @if index == 0 {
                                    th.(column.class) scope="row" data-title=(column.title) { (cell) }
                                } @else {
                                    td.(column.class) data-title=(column.title) { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
