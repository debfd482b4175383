//! Addresses of pages with parameters behind them.

use axum::http::{Method, Uri};
use form_urlencoded::Serializer;

use super::SETTINGS_PATH;

/// The address of a path with those parameters that have a value.
pub(crate) fn href<'a>(path: &str, params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in params {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Whether a text is the path of a page of this server, so that a browser that is sent there stays here.
pub(crate) fn is_local(place: &str) -> bool {
    let mut bytes = place.bytes();
    bytes.next() == Some(b'/')
        && bytes.next().is_none_or(|second| second != b'/' && second != b'\\')
        && place.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Where a browser is that sends a request: at its address, or, where it sends a form to a path that shows nothing by itself, at the
/// page that the form is on.
pub(crate) fn place(method: &Method, uri: &Uri) -> String {
    if [Method::GET, Method::HEAD].contains(method) {
        return uri.path_and_query().map_or("/", |place| place.as_str()).to_owned();
    }
    let page = match uri.path() {
        "/portal/try" => "/portal/start",
        "/portal/sign-out" => SETTINGS_PATH,
        "/console/sign-out" => "/console",
        "/preferences" => "/docs",
        path => path,
    };
    page.to_owned()
}

/// Whether a path is among those that people open, and so deserves a page whatever is there.
pub(crate) fn is_for_people(path: &str) -> bool {
    ["/console", SETTINGS_PATH]
        .iter()
        .any(|part| path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_are_local() {
        for place in ["/", "/console", "/console/accounts?q=%2F&n=1"] {
            assert!(is_local(place), "{place}");
        }
        for place in
            ["", "console", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/a b"]
        {
            assert!(!is_local(place), "{place}");
        }
    }

    #[test]
    fn people_open_the_console_and_the_customers_pages() {
        for path in ["/console", "/console/", "/console/nothing", "/portal", "/portal/sign-out"] {
            assert!(is_for_people(path), "{path}");
        }
        for path in ["/", "/consoles", "/v1/console", "/docs", "/portal.css"] {
            assert!(!is_for_people(path), "{path}");
        }
    }

    #[test]
    fn parameters_are_encoded() {
        assert_eq!(href("/a", [("q", "x & y"), ("none", "")]), "/a?q=x+%26+y");
        assert_eq!(href("/a", [("q", "")]), "/a");
    }
}
