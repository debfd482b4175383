//! Static files: embedded, named by their content, kept by browsers for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// A static file.
struct Asset {
    /// Such as `pages.0f1e2d3c4b5a6978.css`: another content has another name, so none is ever stale.
    name: String,
    content: &'static [u8],
    content_type: &'static str,
}

impl Asset {
    fn of(stem: &str, extension: &str, content_type: &'static str, content: &'static [u8]) -> Asset {
        let digest = Sha256::digest(content);
        let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Asset { name: format!("{stem}.{digits}.{extension}"), content, content_type }
    }
}

/// Every static file.
pub(crate) struct Assets {
    style: Asset,
    script: Asset,
    htmx: Asset,
    open: Asset,
    icon: Asset,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const STYLE: &str = "text/css; charset=utf-8";
    Assets {
        style: Asset::of("pages", "css", STYLE, include_bytes!("../../assets/pages.css")),
        script: Asset::of("pages", "js", SCRIPT, include_bytes!("../../assets/pages.js")),
        open: Asset::of("open", "js", SCRIPT, include_bytes!("../../assets/open.js")),
        htmx: Asset::of("htmx", "js", SCRIPT, include_bytes!("../../assets/htmx.min.js")),
        icon: Asset::of("icon", "svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
    }
});

impl Assets {
    /// The static files.
    pub(crate) fn get() -> &'static Assets {
        &ASSETS
    }

    pub(crate) fn style(&self) -> String {
        path(&self.style)
    }

    pub(crate) fn script(&self) -> String {
        path(&self.script)
    }

    pub(crate) fn htmx(&self) -> String {
        path(&self.htmx)
    }

    /// What opens the link to an account's page.
    pub(crate) fn open(&self) -> String {
        path(&self.open)
    }

    pub(crate) fn icon(&self) -> String {
        path(&self.icon)
    }
}

fn path(asset: &Asset) -> String {
    format!("/assets/{}", asset.name)
}

/// A static file by its name.
pub(crate) async fn show(name: Result<Path<String>, PathRejection>) -> Response {
    let Assets { style, script, htmx, open, icon } = Assets::get();
    let all = [style, script, htmx, open, icon];
    let named = name.ok().and_then(|Path(name)| all.into_iter().find(|asset| asset.name == name));
    let Some(asset) = named else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)));
    (headers, asset.content).into_response()
}
