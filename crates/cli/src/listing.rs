//! Lists of the contract: fetched page by page as far as was asked for; lines of JSON for programs, a table for people.

use std::io;

use prost::Message;
use tonic::Status;

use crate::messages;
use crate::output::Output;
use crate::output::table::Table;

/// The first items of a list that comes in pages.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    items: Vec<T>,
    /// Whether the gateway has more of them.
    is_cut: bool,
}

/// Asks for page after page until there are `limit` items, or no more. `page` gets the token of its page, empty for
/// the first, and gives its items with the token of the next, empty after the last.
///
/// # Errors
/// Those of `page`.
pub(crate) async fn fetch<T>(
    limit: usize,
    mut page: impl AsyncFnMut(String) -> Result<(Vec<T>, String), Status>,
) -> Result<Listing<T>, Status> {
    let (mut items, mut token) = (Vec::new(), String::new());
    while items.len() < limit {
        let (found, next) = page(token).await?;
        items.extend(found);
        token = next;
        if token.is_empty() {
            break;
        }
    }
    let is_cut = items.len() > limit || !token.is_empty();
    items.truncate(limit);
    Ok(Listing { items, is_cut })
}

impl<T> Listing<T> {
    /// What was fetched.
    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }
}

impl<T: Message> Listing<T> {
    /// Shows the items as [`show`] does, and tells people of a list that was cut.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn show(
        &self,
        name: &str,
        output: &Output,
        table: impl FnOnce(&[T]) -> Table,
    ) -> io::Result<()> {
        show(&self.items, name, output, table)?;
        if self.is_cut && !output.is_json() {
            output.say("còn nữa; --limit để xem / there are more; --limit shows them");
        }
        Ok(())
    }
}

/// Shows messages, whose full name is `name`: a JSON object on each line, or one table.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn show<T: Message>(
    items: &[T],
    name: &str,
    output: &Output,
    table: impl FnOnce(&[T]) -> Table,
) -> io::Result<()> {
    if !output.is_json() {
        return output.table(&table(items));
    }
    items
        .iter()
        .try_for_each(|item| output.json(&messages::to_json(name, item)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of the numbers below `count`, two on a page.
    async fn listed(limit: usize, count: u32) -> (Vec<u32>, bool, usize) {
        let mut pages = 0;
        let listing = fetch(limit, async |token| {
            pages += 1;
            let first = token.parse().unwrap_or(0);
            let next = first + 2;
            let token = if next < count {
                next.to_string()
            } else {
                String::new()
            };
            Ok(((first..next.min(count)).collect(), token))
        });
        let listing = listing.await.unwrap();
        (listing.items, listing.is_cut, pages)
    }

    #[tokio::test]
    async fn no_more_is_asked_for_or_shown_than_is_wanted() {
        assert_eq!(listed(9, 5).await, (vec![0, 1, 2, 3, 4], false, 3));
        assert_eq!(listed(5, 5).await, (vec![0, 1, 2, 3, 4], false, 3));
        assert_eq!(listed(3, 5).await, (vec![0, 1, 2], true, 2));
        assert_eq!(listed(2, 5).await, (vec![0, 1], true, 1));
        assert_eq!(listed(2, 0).await, (vec![], false, 1));
    }
}
