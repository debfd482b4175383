//! The small parts of pages. Each renders itself and escapes what it is given.

use askama::Template;
use askama::filters::HtmlSafe;
use coffer_ledger::{Credits, Timestamp};

use super::look::Language;
use super::show;

/// HTML that a part has rendered. Nothing but a template makes it, so it needs no escaping.
#[derive(Clone, Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// What a part looks like.
    pub(crate) fn of(part: &impl Template) -> Html {
        Html(part.render().expect("a String takes everything"))
    }

    /// Several of them, one after another.
    pub(crate) fn all(parts: impl IntoIterator<Item = Html>) -> Html {
        Html(parts.into_iter().map(|html| html.0).collect())
    }
}

impl std::fmt::Display for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// What a badge, a notice or a button says by its colour, besides its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Neutral,
    Good,
    Attention,
    Bad,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Tone::Neutral => "neutral",
            Tone::Good => "good",
            Tone::Attention => "attention",
            Tone::Bad => "bad",
        }
    }
}

/// A state in a word.
#[derive(Template, Clone, Debug)]
#[template(ext = "html", source = r#"<span class="badge {{ tone.class() }}">{{ text }}</span>"#)]
pub(crate) struct Badge {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

impl Badge {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Badge {
        Badge { tone, text: text.into() }
    }

    pub(crate) fn html(&self) -> Html {
        Html::of(self)
    }
}

/// A link or a button that looks like one.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/action.html")]
pub(crate) struct Action {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) look: ActionLook,
    /// Whether what it leads to is shown as a dialog over the page.
    pub(crate) opens_dialog: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ActionLook {
    /// The one thing to do here.
    Primary,
    Plain,
    /// In a row of a table.
    Small,
    Danger,
}

impl ActionLook {
    const fn class(self) -> &'static str {
        match self {
            ActionLook::Primary => "button primary",
            ActionLook::Plain => "button",
            ActionLook::Small => "button small",
            ActionLook::Danger => "button danger",
        }
    }
}

impl Action {
    /// A link to another page.
    pub(crate) fn link(look: ActionLook, label: impl Into<String>, href: impl Into<String>) -> Action {
        Action { label: label.into(), href: href.into(), look, opens_dialog: false }
    }

    /// A link to the same page with a dialog over it.
    pub(crate) fn dialog(look: ActionLook, label: impl Into<String>, href: impl Into<String>) -> Action {
        Action { opens_dialog: true, ..Action::link(look, label, href) }
    }

    pub(crate) fn html(&self) -> Html {
        Html::of(self)
    }
}

/// One figure that matters, with what it means under it.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/stats.html")]
pub(crate) struct Stats(pub(crate) Vec<Stat>);

#[derive(Clone, Debug)]
pub(crate) struct Stat {
    pub(crate) label: String,
    pub(crate) value: String,
    /// Such as a unit.
    pub(crate) unit: String,
    pub(crate) note: String,
    /// Whether the figure is the page's first.
    pub(crate) leads: bool,
}

impl Stat {
    /// The class of a figure that is written smaller, so that it has room beside others.
    fn length(&self) -> &'static str {
        match self.value.chars().count() {
            ..9 => "",
            9..15 => " long",
            15.. => " longest",
        }
    }

    pub(crate) fn new(label: impl Into<String>, value: impl Into<String>) -> Stat {
        Stat {
            label: label.into(),
            value: value.into(),
            unit: String::new(),
            note: String::new(),
            leads: false,
        }
    }

    pub(crate) fn note(self, note: impl Into<String>) -> Stat {
        Stat { note: note.into(), ..self }
    }

    pub(crate) fn unit(self, unit: impl Into<String>) -> Stat {
        Stat { unit: unit.into(), ..self }
    }

    pub(crate) fn leading(self) -> Stat {
        Stat { leads: true, ..self }
    }
}

/// What is known of one thing: names and values.
#[derive(Template, Clone, Debug)]
#[template(
    ext = "html",
    source = r#"<dl class="facts">{% for (name, value) in self.0 %}<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>{% endfor %}</dl>"#
)]
pub(crate) struct Facts(pub(crate) Vec<(String, Html)>);

/// Something to read before going on.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/notice.html")]
pub(crate) struct Notice {
    pub(crate) tone: Tone,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// What stands where a list would, and has nothing in it yet.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/empty.html")]
pub(crate) struct Empty {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) action: Option<Action>,
}

/// A text to take along: a secret, a line to paste. Copied by a button where scripts run, selected by a click anyway.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/copyable.html")]
pub(crate) struct Copyable {
    pub(crate) language: Language,
    /// What it is, for those who cannot see where it stands.
    pub(crate) label: String,
    pub(crate) text: String,
    /// Whether it has lines of its own.
    pub(crate) is_code: bool,
}

/// A step through a list that is read by cursor: there are no page numbers, for nobody counts the list.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/pager.html")]
pub(crate) struct Pager {
    pub(crate) language: Language,
    /// The first page, where this is another one.
    pub(crate) first: Option<String>,
    pub(crate) next: Option<String>,
}

/// Plain words, a line of them.
#[derive(Template)]
#[template(ext = "html", source = "{{ self.0 }}")]
struct Text<'a>(&'a str);

/// Plain words.
pub(crate) fn text(text: impl AsRef<str>) -> Html {
    Html::of(&Text(text.as_ref()))
}

/// What somebody has written: in whatever direction, and as long as they wished.
#[derive(Template)]
#[template(ext = "html", source = r#"<bdi class="long">{{ self.0 }}</bdi>"#)]
struct Written<'a>(&'a str);

/// What somebody has written, such as a name or a reference, in a cell of a table.
pub(crate) fn written(text: impl AsRef<str>) -> Html {
    Html::of(&Written(text.as_ref()))
}

#[derive(Template)]
#[template(ext = "html", source = r#"<p class="remark">{{ text }}</p>"#)]
struct Paragraph<'a> {
    text: &'a str,
}

/// A paragraph that explains, more quietly.
pub(crate) fn remark(text: impl AsRef<str>) -> Html {
    Html::of(&Paragraph { text: text.as_ref() })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<code>{{ self.0 }}</code>"#)]
struct Code<'a>(&'a str);

/// What machines write: an id, a name of an operation.
pub(crate) fn code(text: impl AsRef<str>) -> Html {
    Html::of(&Code(text.as_ref()))
}

#[derive(Template)]
#[template(ext = "html", source = r#"<a href="{{ href }}">{{ body }}</a>"#)]
struct Link<'a> {
    href: &'a str,
    body: Html,
}

/// A link to another page.
pub(crate) fn link(href: impl AsRef<str>, body: Html) -> Html {
    Html::of(&Link { href: href.as_ref(), body })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<time datetime="{{ at }}" title="{{ exact }}">{{ shown }}</time>"#)]
struct Time {
    at: Timestamp,
    exact: String,
    shown: String,
}

/// A time to the minute; its seconds show on pointing at it.
pub(crate) fn time(at: Timestamp, language: Language) -> Html {
    Html::of(&Time { at, exact: show::exact_time(at), shown: show::time(at, language) })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<data class="{{ class }}" value="{{ credits }}">{{ shown }}</data>"#)]
struct Amount {
    class: &'static str,
    credits: Credits,
    shown: String,
}

/// An amount of credits.
pub(crate) fn credits(credits: Credits) -> Html {
    let class = if credits.is_negative() { "credits below" } else { "credits" };
    Html::of(&Amount { class, credits, shown: show::credits(credits) })
}

/// A change of credits, with its sign.
pub(crate) fn change(change: Credits) -> Html {
    let class = if change.is_positive() { "credits gain" } else { "credits" };
    Html::of(&Amount { class, credits: change, shown: show::change(change) })
}

#[derive(Template)]
#[template(ext = "html", source = r#"{{ first }}<span class="second">{{ second }}</span>"#)]
struct TwoLines {
    first: Html,
    second: Html,
}

/// A line, and a quieter one under it.
pub(crate) fn two_lines(first: Html, second: Html) -> Html {
    Html::of(&TwoLines { first, second })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<div class="row">{% for part in self.0 %}{{ part }}{% endfor %}</div>"#)]
struct RowOf(Vec<Html>);

/// Parts side by side, as far as there is room.
pub(crate) fn row(parts: impl IntoIterator<Item = Html>) -> Html {
    Html::of(&RowOf(parts.into_iter().collect()))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="stack">{% for part in self.0 %}{{ part }}{% endfor %}</div>"#
)]
struct Stack(Vec<Html>);

/// Parts under one another.
pub(crate) fn stack(parts: impl IntoIterator<Item = Html>) -> Html {
    Html::of(&Stack(parts.into_iter().collect()))
}

#[derive(Template)]
#[template(ext = "html", source = r#"<div class="titled"><h3>{{ title }}</h3>{{ body }}</div>"#)]
struct Titled<'a> {
    title: &'a str,
    body: Html,
}

/// A part with a small heading over it.
pub(crate) fn titled(title: impl AsRef<str>, body: Html) -> Html {
    Html::of(&Titled { title: title.as_ref(), body })
}
