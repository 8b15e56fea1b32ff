//! Style, script and icon: compiled in, named by their content, kept by browsers for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

use crate::fault::PageError;

/// A file of the console.
pub(crate) struct Asset {
    /// Where it is; another content has another path.
    pub(crate) path: String,
    kind: &'static str,
    content: &'static str,
}

impl Asset {
    fn new((name, ending): (&str, &str), kind: &'static str, content: &'static str) -> Self {
        let hash = hex::encode(&Sha256::digest(content)[..8]);
        Self {
            path: format!("/assets/{name}-{hash}.{ending}"),
            kind,
            content,
        }
    }
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            ("console", "css"),
            "text/css; charset=utf-8",
            include_str!("assets/console.css"),
        ),
        Asset::new(
            ("console", "js"),
            "text/javascript; charset=utf-8",
            include_str!("assets/console.js"),
        ),
        Asset::new(
            ("icon", "svg"),
            "image/svg+xml",
            include_str!("assets/icon.svg"),
        ),
    ]
});

/// The style of all pages.
pub(crate) fn style() -> &'static Asset {
    &ASSETS[0]
}

/// The script of pages behind the sign-in.
pub(crate) fn script() -> &'static Asset {
    &ASSETS[1]
}

/// The icon.
pub(crate) fn icon() -> &'static Asset {
    &ASSETS[2]
}

/// `GET /assets/{name}`
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    let Some(asset) = asset else {
        return PageError::NotFound.into_response();
    };
    let headers = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.content).into_response()
}
