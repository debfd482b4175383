//! Refusals of the ledger, as people read them, in both languages.

use coffer_ledger::Refusal;

use crate::pages::look::Language;
use crate::pages::show;
use crate::problem::Problem;

/// Why something was refused. In English it is what the API says.
pub(crate) fn told(refusal: &Refusal, language: Language) -> String {
    match language {
        Language::English => show::sentence(Problem::from(refusal.clone()).rule(), language),
        Language::Chinese => in_chinese(refusal),
    }
}

/// What kind of refusal it is, without its numbers.
pub(crate) fn kind(refusal: &Refusal, language: Language) -> String {
    match refusal {
        Refusal::CreditsAreInsufficient { .. } => {
            language.pick("Insufficient credits", "积分不足").to_owned()
        }
        Refusal::KeyLimitIsExceeded { .. } => language.pick("Key limit exceeded", "超出密钥限额").to_owned(),
        Refusal::OperationIsUnknown(_) => language.pick("Unknown operation", "未知操作").to_owned(),
        other => told(other, language).trim_end_matches(['.', '。']).to_owned(),
    }
}

fn in_chinese(refusal: &Refusal) -> String {
    match refusal {
        Refusal::AccountIsUnknown => "账户不存在。".to_owned(),
        Refusal::AccountIsFrozen => "账户已冻结，拒绝新的扣费和预留。".to_owned(),
        Refusal::AccountIsClosed => "账户已关闭。".to_owned(),
        Refusal::AccountHasOpenHolds => "账户有未结预留，请先扣取或释放。".to_owned(),
        Refusal::AccountIsInDebt => "账户欠费，请先发放或调整欠费额度。".to_owned(),
        Refusal::ExternalIdIsTaken(id) => format!("外部 ID {id} 已被其他账户使用。"),
        Refusal::GrantIsUnknown => "发放批次不存在。".to_owned(),
        Refusal::GrantIsClosed => "该批次已过期、已作废或已用尽。".to_owned(),
        Refusal::ChargeIsUnknown => "扣费不存在。".to_owned(),
        Refusal::RefundExceedsCharge { required, left } => {
            format!("此扣费仅剩 {} 可退，请求退还 {}。", show::credits(*left), show::credits(*required))
        }
        Refusal::HoldIsUnknown => "预留不存在。".to_owned(),
        Refusal::HoldIsClosed => "预留已扣取、已释放或已过期。".to_owned(),
        Refusal::HoldHasNoOperation => "该预留按积分创建，请按积分扣取。".to_owned(),
        Refusal::NothingWouldBeCaptured => "扣取的积分必须大于零，除非是最终扣取。".to_owned(),
        Refusal::CaptureExceedsHold { required, held } => {
            format!("预留仅有 {}，请求扣取 {}。", show::credits(*held), show::credits(*required))
        }
        Refusal::OperationIsUnknown(operation) => format!("价格表中没有操作 {operation}。"),
        Refusal::OperationIsReserved(operation) => format!("{operation} 免费，价格不可更改。"),
        Refusal::KeyIsUnknown => "密钥不存在。".to_owned(),
        Refusal::KeyIsRevoked => "密钥已吊销，请另建一个。".to_owned(),
        Refusal::TooManySecretsLiveOn => "该密钥仍有多个旧密钥有效，请等待其中一个失效。".to_owned(),
        Refusal::ApiKeyIsDead => "客户密钥不存在、已吊销、已过期或已停用。".to_owned(),
        Refusal::SecretIsTaken => "已存在相同的密钥。".to_owned(),
        Refusal::OperatorKeyIsUnknown => "操作员密钥不存在。".to_owned(),
        Refusal::SessionIsUnknown => "会话不存在或已结束。".to_owned(),
        Refusal::LastOperatorKeyMustLive => {
            "这是最后一个具有 admin 权限的操作员密钥，请先创建另一个。".to_owned()
        }
        Refusal::ExpiryIsNotInTheFuture { at } => {
            format!("过期时间必须晚于当前时间 {}。", show::exact_time(*at))
        }
        Refusal::ExpiryIsNotAfterStart => "过期时间必须晚于生效时间。".to_owned(),
        Refusal::IdempotencyKeyWasReused => "此表单已提交过不同内容，本次未执行任何操作。".to_owned(),
        Refusal::KeyLimitIsExceeded { required, remaining } => {
            format!("密钥限额剩余 {}，需要 {}。", show::credits(*remaining), show::credits(*required))
        }
        Refusal::CreditsAreInsufficient { required, available } => {
            format!("账户可用 {}，需要 {}。", show::credits(*available), show::credits(*required))
        }
        Refusal::BalanceIsOutOfRange => "余额或累计总额将超出 ±9000000000000 积分。".to_owned(),
        Refusal::TooManyGrantsAreOpen => "账户未用完的发放批次已达上限。".to_owned(),
        Refusal::TooManyHoldsAreOpen => "账户未结预留已达上限。".to_owned(),
    }
}
