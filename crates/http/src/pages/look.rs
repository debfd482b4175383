//! In which language and theme a page is shown: what a cookie says, else what the browser prefers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, header, request};

use super::href::place;

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    pub(crate) const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// The tag that HTML and HTTP know it by.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// What it calls itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The one of two texts, or of two structures of texts, that is in this language.
    pub(crate) const fn pick<T: Copy>(self, english: T, chinese: T) -> T {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    pub(crate) fn of_tag(tag: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The first of the browser's languages that there is, by weight and then by order.
    fn accepted(header: &str) -> Option<Language> {
        let mut best: Option<(u16, Language)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let primary = tag.split('-').next().unwrap_or_default();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, thousandths);
            let Some(language) = Language::of_tag(primary) else { continue };
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// A weight such as `0.8`, in thousandths; what is no weight counts as none.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u16>()) {
        ("1", Ok(_)) => 1000,
        ("0", Ok(weight)) => weight,
        _ => 0,
    }
}

/// A theme of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// The names of the cookies that keep what was chosen. They hold no secret, and no more than one of a few words.
pub(crate) const LANGUAGE_COOKIE: &str = "coffer_language";
pub(crate) const THEME_COOKIE: &str = "coffer_theme";

/// How a page is to be shown, and where it is, so that the switches lead back to it.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) language: Language,
    pub(crate) theme: Theme,
    /// The path and query of the page, or of the one that a form was sent from.
    pub(crate) place: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Look {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut request::Parts, _state: &S) -> Result<Look, Infallible> {
        let headers = &parts.headers;
        let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(Language::of_tag);
        let accepted = || {
            let header = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            Language::accepted(header)
        };
        Ok(Look {
            language: chosen.or_else(accepted).unwrap_or(Language::English),
            theme: cookie(headers, THEME_COOKIE).and_then(Theme::of_name).unwrap_or(Theme::System),
            place: place(&parts.method, &parts.uri),
        })
    }
}

/// The value of a cookie, if exactly one has the name.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_languages_are_followed_by_weight() {
        for (header, language) in [
            ("en-GB,en;q=0.9", Some(Language::English)),
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Chinese)),
            ("de, zh;q=0.5, en;q=0.7", Some(Language::English)),
            ("de, zh;q=0.75, en;q=0.7", Some(Language::Chinese)),
            ("en;q=0, zh;q=0.001", Some(Language::Chinese)),
            ("fr", None),
            ("", None),
            ("zh;q=high", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }

    #[test]
    fn a_cookie_counts_where_there_is_one() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; coffer_theme=dark".parse().unwrap());
        assert_eq!(cookie(&headers, THEME_COOKIE), Some("dark"));
        assert_eq!(cookie(&headers, "theme"), None);
        headers.append(header::COOKIE, "coffer_theme=light".parse().unwrap());
        assert_eq!(cookie(&headers, THEME_COOKIE), None);
    }
}
