//! Ready-to-paste calls of the balance endpoint, with this server's address and header in them.

use askama::Template;

use crate::settings::Settings;

/// What stands in an example where a key belongs.
pub(crate) const KEY_PLACE: &str = "YOUR_API_KEY";

/// A call to paste.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

macro_rules! example {
    ($name:ident, $path:literal) => {
        #[derive(Template)]
        #[template(path = $path, escape = "none")]
        struct $name<'a> {
            url: &'a str,
            header: &'a str,
            key: &'a str,
        }
    };
}

example!(Curl, "examples/curl.txt");
example!(Html, "examples/html.txt");
example!(JavaScript, "examples/javascript.txt");
example!(Python, "examples/python.txt");
example!(Java, "examples/java.txt");
example!(Php, "examples/php.txt");

/// In which language an example is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Written {
    Curl,
    Html,
    JavaScript,
    Python,
    Java,
    Php,
}

impl Written {
    /// The example; `base` is where this server is, as `https://example.com`. Neither an address nor the name of a header can
    /// hold a quote, so both stand in every language's strings as they are.
    pub(crate) fn example(self, base: &str, settings: &Settings) -> Example {
        let url = &format!("{base}{}", settings.product.balance_path());
        let header = &settings.api_key_header.to_string();
        let key = KEY_PLACE;
        let (name, text) = match self {
            Written::Curl => ("curl", Curl { url, header, key }.render()),
            Written::Html => ("HTML", Html { url, header, key }.render()),
            Written::JavaScript => ("JavaScript", JavaScript { url, header, key }.render()),
            Written::Python => ("Python", Python { url, header, key }.render()),
            Written::Java => ("Java", Java { url, header, key }.render()),
            Written::Php => ("PHP", Php { url, header, key }.render()),
        };
        Example { name, text: text.expect("a String takes everything") }
    }
}
