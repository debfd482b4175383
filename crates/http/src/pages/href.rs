//! Addresses of pages with parameters behind them.

use form_urlencoded::Serializer;

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
    fn parameters_are_encoded() {
        assert_eq!(href("/a", [("q", "x & y"), ("none", "")]), "/a?q=x+%26+y");
        assert_eq!(href("/a", [("q", "")]), "/a");
    }
}
