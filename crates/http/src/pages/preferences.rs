//! The switches of language and theme: a form that works without a script, and a cookie that remembers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::form::Filled;
use super::href::is_local;
use super::look::{LANGUAGE_COOKIE, Language, THEME_COOKIE, Theme};

/// Remembers a choice for a year, and goes back to the page where it was made.
pub(crate) async fn choose(filled: Filled) -> Response {
    let language = Language::of_tag(filled.get("language")).map(|chosen| (LANGUAGE_COOKIE, chosen.tag()));
    let theme = Theme::of_name(filled.get("theme")).map(|chosen| (THEME_COOKIE, chosen.name()));
    let back = Some(filled.get("back")).filter(|back| is_local(back)).unwrap_or("/docs");
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::try_from(back).expect("a local path is visible ASCII"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [language, theme].into_iter().flatten() {
        let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly");
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie).expect("a few plain words"));
    }
    response
}
