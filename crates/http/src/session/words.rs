//! The texts of signing in and of sessions, in both languages.

use axum::response::Response;

use crate::pages::frame::{Frame, Shape};
use crate::pages::look::{Language, Look};
use crate::pages::page::{Heading, Page};
use crate::pages::part;
use crate::problem::Problem;

pub(super) struct SessionWords {
    pub(super) console: &'static str,
    pub(super) sign_in: &'static str,
    pub(super) sign_in_text: &'static str,
    pub(super) operator_key: &'static str,
    pub(super) operator_key_hint: &'static str,
    pub(super) key_is_missing: &'static str,
    pub(super) key_is_wrong: &'static str,
    pub(super) too_fast: &'static str,
    pub(super) session_over: &'static str,
    pub(super) session_over_text: &'static str,
    pub(super) not_from_here: &'static str,
    pub(super) not_from_here_text: &'static str,
}

static ENGLISH: SessionWords = SessionWords {
    console: "Console",
    sign_in: "Sign in",
    sign_in_text: "The console shows and does what your operator key may.",
    operator_key: "Operator key",
    operator_key_hint: "The first start leaves one in operator.key in the data directory, unless one is configured.",
    key_is_missing: "must not be empty",
    key_is_wrong: "No live operator key has this secret.",
    too_fast: "Too many wrong keys came from your address. Try again in a moment.",
    session_over: "Your session is over",
    session_over_text: "For your safety sessions end by themselves. Go back to the site that sent you here, and open API Key \
                        Settings from there again.",
    not_from_here: "This was refused",
    not_from_here_text: "The request did not come from a page of this server, so nothing was done. Go back, reload the page and \
                         try again.",
};

static CHINESE: SessionWords = SessionWords {
    console: "控制台",
    sign_in: "登录",
    sign_in_text: "控制台能查看和操作的范围，取决于您的操作员密钥。",
    operator_key: "操作员密钥",
    operator_key_hint: "首次启动时，除非已配置，密钥会写入数据目录的 operator.key 文件。",
    key_is_missing: "不能为空",
    key_is_wrong: "没有使用此密文的有效操作员密钥。",
    too_fast: "来自您地址的错误密钥过多，请稍后重试。",
    session_over: "会话已结束",
    session_over_text: "为了您的安全，会话会自动结束。请回到来时的网站，重新打开 API Key 设置。",
    not_from_here: "请求被拒绝",
    not_from_here_text: "该请求并非来自本服务器的页面，因此未执行任何操作。请返回并刷新页面后重试。",
};

impl SessionWords {
    pub(super) const fn of(language: Language) -> &'static SessionWords {
        language.pick(&ENGLISH, &CHINESE)
    }
}

/// The page for whoever meets a store that cannot be reached.
pub(super) fn unavailable(look: Look, problem: &Problem) -> Response {
    let words = look.language.words();
    let heading = Heading::new(words.error_unavailable).lead(part::text(words.error_unavailable_text));
    Page::new(Frame::new(look, Shape::Card, words.error_unavailable), heading).respond(problem.status())
}
