//! What a server says of itself and of its shares (2.2.2.3, 2.2.2.4, 3.1.3, 3.1.4.1, 3.1.4.9, 3.1.4.10).

use rustc_hash::FxHashMap;

use crate::bytes::Side;
use crate::check::bench::{Bench, Topic};
use crate::check::rules::Case;
use crate::check::rules::path::share_path;
use crate::protocol::fsrvp::{Compatibility, Request, Response, Version};

/// Shares whose owner is remembered.
const MAX_SHARES: usize = 4096;

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// The versions that the server named last, and in which call. Gone when it may have been started
    /// again.
    versions: Option<((Version, Version), u64)>,
    /// The owner of each share, and the call that told it. Added by `IsPathSupported`; when there are
    /// too many, all are forgotten.
    owners: FxHashMap<String, (String, u64)>,
}

impl Rules {
    pub(super) fn forget(&mut self) {
        self.versions = None;
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        if !case.act.answer.is_success() {
            return;
        }
        match (&case.act.request, &case.act.response) {
            (_, Some(Response::GetSupportedVersion(of))) => {
                self.version(case, of.min_version, of.max_version, bench);
            }
            (Some(Request::IsPathSupported(asked)), Some(Response::IsPathSupported(of))) => {
                let owner = of.owner_machine_name.as_deref();
                self.owner(
                    case,
                    &asked.share_name,
                    of.supported_by_this_provider.is_true(),
                    owner,
                    bench,
                );
            }
            (_, Some(Response::IsPathShadowCopied(of))) => {
                let present = of.shadow_copy_present.is_true();
                compatibility(case, present, of.shadow_copy_compatibility, bench);
            }
            _ => {}
        }
    }

    /// 2.2.2.4-01, 3.1.3-05, 3.1.3-06, 3.1.4.1-01
    fn version(&mut self, case: &Case<'_, '_>, min: Version, max: Version, bench: &mut Bench<'_>) {
        let only = Version::FSRVP_RPC_VERSION_1;
        if min == only && max == only {
            bench.pass("FSRVP-2.2.2.4-01");
        }
        let ends = [
            ("MinVersion", "FSRVP-3.1.3-05", min, min == only),
            ("MaxVersion", "FSRVP-3.1.3-06", max, max == only && max >= min),
        ];
        for (field, rule, version, good) in ends {
            bench.expect(
                good,
                Topic::Value(field),
                rule,
                case.place,
                || {
                    if version == only {
                        format!("{field} is {}, below MinVersion, which is {}", version.0, min.0)
                    } else {
                        format!("{field} is {}; the only version is 1", version.0)
                    }
                },
                |finding| {
                    if version != only {
                        finding.with_rules(["FSRVP-2.2.2.4-01"]);
                    }
                    finding.with_octets(case.call, Side::Server, field, &version.0.to_string());
                },
            );
        }
        let told = (min, max);
        if let Some((before, call)) = self.versions {
            bench.expect(
                before == told,
                Topic::Value("versions"),
                "FSRVP-3.1.4.1-01",
                case.place,
                || {
                    format!(
                        "The versions are {} to {}; they were {} to {} before",
                        min.0, max.0, before.0.0, before.1.0
                    )
                },
                |finding| {
                    finding.with_call(call, "GetSupportedVersion returned other versions");
                },
            );
        }
        self.versions = Some((told, case.act.n));
    }

    /// 3.1.4.9-04, 3.1.4.9-05, 3.1.4.9-08, 6-04
    fn owner(
        &mut self,
        case: &Case<'_, '_>,
        share: &str,
        supported: bool,
        owner: Option<&str>,
        bench: &mut Bench<'_>,
    ) {
        let field = "OwnerMachineName";
        bench.expect(
            supported,
            Topic::Value("SupportedByThisProvider"),
            "FSRVP-3.1.4.9-04",
            case.place,
            || {
                format!(
                    "IsPathSupported of \"{share}\" returned ZERO and SupportedByThisProvider FALSE"
                )
            },
            |finding| {
                finding.with_octets(case.call, Side::Server, "SupportedByThisProvider", "FALSE");
            },
        );
        if owner.is_some() {
            bench.pass("FSRVP-6-04");
        }
        let Some(owner) = owner.filter(|name| !name.is_empty()) else {
            // What FALSE comes with is nobody's need.
            if supported {
                let what = if owner.is_some() { "empty" } else { "null" };
                let message = format!(
                    "IsPathSupported of \"{share}\" succeeded, and OwnerMachineName is {what}"
                );
                bench.fail(
                    Topic::Value(field),
                    "FSRVP-3.1.4.9-05",
                    case.place,
                    message,
                    |finding| {
                        if owner.is_none() {
                            finding.with_rules(["FSRVP-6-04"]);
                        }
                        finding.with_octets(case.call, Side::Server, field, what);
                    },
                );
            }
            return;
        };
        bench.pass("FSRVP-3.1.4.9-05");
        let key = share_path(share);
        if self.owners.len() >= MAX_SHARES && !self.owners.contains_key(&key) {
            self.owners.clear();
        }
        let told = (owner.to_owned(), case.act.n);
        let Some((before, call)) = self.owners.insert(key, told) else { return };
        bench.expect(
            before.to_lowercase() == owner.to_lowercase(),
            Topic::Value(field),
            "FSRVP-3.1.4.9-08",
            case.place,
            || format!("The owner of \"{share}\" is {owner}; it was {before} before: a failover, or a wrong configuration"),
            |finding| {
                finding.with_call(call, "IsPathSupported named another owner");
                finding.with_octets(case.call, Side::Server, field, owner);
            },
        );
    }
}

/// 2.2.2.3-01, 3.1.4.10-06, 3.1.4.10-08
fn compatibility(case: &Case<'_, '_>, present: bool, value: Compatibility, bench: &mut Bench<'_>) {
    let defined = Compatibility::DISABLE_DEFRAG.0 | Compatibility::DISABLE_CONTENTINDEX.0;
    let field = "ShadowCopyCompatibility";
    let good = value.0 & !defined == 0;
    if good {
        bench.pass("FSRVP-2.2.2.3-01");
    }
    bench.expect(
        good,
        Topic::Value(field),
        "FSRVP-3.1.4.10-06",
        case.place,
        || {
            format!(
                "ShadowCopyCompatibility is 0x{:x}; only the bits 0x1 and 0x2 are defined",
                value.0
            )
        },
        |finding| {
            finding.with_rules(["FSRVP-2.2.2.3-01"]);
            finding.with_octets(case.call, Side::Server, field, "an undefined bit");
        },
    );
    if !present {
        bench.expect(
            value.0 == 0,
            Topic::Value(field),
            "FSRVP-3.1.4.10-08",
            case.place,
            || {
                format!(
                    "ShadowCopyPresent is FALSE, and ShadowCopyCompatibility is 0x{:x}, not 0",
                    value.0
                )
            },
            |finding| {
                finding.with_octets(case.call, Side::Server, field, "not zero");
            },
        );
    }
}
