//! The texts of the customer's pages. Each language is one value of one structure, so a text that is missing in either does
//! not compile.

use crate::pages::look::Language;

pub(super) struct PortalWords {
    pub(super) title: &'static str,
    pub(super) opening: &'static str,
    pub(super) no_token: &'static str,
    pub(super) go_on: &'static str,
    pub(super) needs_script: &'static str,
    pub(super) link_is_dead: &'static str,
    pub(super) link_is_dead_text: &'static str,
    pub(super) too_fast: &'static str,
    pub(super) signed_out: &'static str,
    pub(super) signed_out_text: &'static str,
    pub(super) way_back: &'static str,
}

static ENGLISH: PortalWords = PortalWords {
    title: "API Key Settings",
    opening: "Opening your settings…",
    no_token: "There is nothing to open here: the link has been opened already, or its end is missing.",
    go_on: "Go to API Key Settings",
    needs_script: "This link is opened by a script, so that its secret stays out of logs. Allow JavaScript for this page, and open the link again.",
    link_is_dead: "This link does not work any more",
    link_is_dead_text: "A link works once, and only for a while. Go back to the site that gave it to you, and open API Key Settings from there again.",
    too_fast: "Too many links that do not work came from your address. Try again in a moment.",
    signed_out: "You are signed out",
    signed_out_text: "To come back, open API Key Settings from the site that sent you here.",
    way_back: "Back",
};

static CHINESE: PortalWords = PortalWords {
    title: "API Key 设置",
    opening: "正在打开您的设置…",
    no_token: "没有可打开的内容：链接已被打开过，或者链接不完整。",
    go_on: "前往 API Key 设置",
    needs_script: "为了不让密文进入日志，此链接由脚本打开。请为本页启用 JavaScript，然后重新打开链接。",
    link_is_dead: "此链接已失效",
    link_is_dead_text: "链接只能使用一次，且有时间限制。请回到给您链接的网站，重新打开 API Key 设置。",
    too_fast: "来自您地址的失效链接过多，请稍后重试。",
    signed_out: "您已退出登录",
    signed_out_text: "如需返回，请从来时的网站打开 API Key 设置。",
    way_back: "返回",
};

impl PortalWords {
    pub(super) const fn of(language: Language) -> &'static PortalWords {
        language.pick(&ENGLISH, &CHINESE)
    }
}
