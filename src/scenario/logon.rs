//! The logon of a [`Session`], with NTLM or Kerberos, on one channel or several.

use std::io;

use super::film::Film;
use super::guard::agreed;
use super::session::{Asked, Session};
use super::steps::Logon;
use super::wire::auth::{self, OID_KERBEROS, OID_NTLM};
use super::wire::kerberos;
use super::wire::smb::{self, command};
use crate::bytes::Side;
use crate::security::Context;
use crate::smb::Status;

impl Session {
    /// The logon, and the other channels, where they are not there yet.
    pub(super) fn log_on(&mut self, film: &mut Film<'_>) -> io::Result<()> {
        self.log_on_as(film, Logon::Usual, None)
    }

    /// The same, as whom, or refused with an NTSTATUS.
    pub(super) fn log_on_as(
        &mut self,
        film: &mut Film<'_>,
        logon: Logon,
        refused: Option<u32>,
    ) -> io::Result<()> {
        self.connect(film)?;
        if self.logged_on || self.settings.direct() {
            return Ok(());
        }
        if !self.session_setup(film, 0, logon, refused)? {
            return Ok(());
        }
        self.logged_on = true;
        let multichannel = self.settings.dialect >= smb::Dialect::V3_0;
        let channels = if multichannel { self.settings.channels } else { 1 };
        for _ in 1..channels {
            let channel = self.open(film, None)?;
            self.negotiate(film, channel)?;
            self.session_setup(film, channel, logon, None)?;
        }
        Ok(())
    }

    /// \[MS-SMB2\] 3.2.4.2.3: one leg with Kerberos, two with NTLM. Whether it succeeds.
    fn session_setup(
        &mut self,
        film: &mut Film<'_>,
        channel: usize,
        logon: Logon,
        refused: Option<u32>,
    ) -> io::Result<bool> {
        let names = self.names_of(film, u64::try_from(channel).unwrap_or_default());
        let binding = channel > 0;
        let ticket = matches!(logon, Logon::Ticket(_));
        let kerberos = ticket || self.settings.auth.is_some_and(|auth| auth.kerberos);
        let first = if kerberos {
            auth::spnego_init(OID_KERBEROS, &kerberos::ap_req(&names))
        } else {
            auth::spnego_init(OID_NTLM, &auth::negotiate())
        };
        self.begin_logon(channel);
        let mut tokens = vec![(Side::Client, first.clone())];
        let mut token = first;
        if !kerberos {
            let asked = self.setup_leg(film, channel, (binding, true), &token)?;
            let challenge = auth::challenge(&names);
            let challenge = auth::spnego_response(1, Some(OID_NTLM), &challenge);
            let body = smb::session_set_up(0, &challenge);
            tokens.push((Side::Server, challenge));
            self.answer(film, &asked, Status::MORE_PROCESSING_REQUIRED, &body)?;
            token = auth::spnego_response(1, None, &auth::authenticate(&names));
            tokens.push((Side::Client, token.clone()));
        }
        let mut asked = self.setup_leg(film, channel, (binding, kerberos), &token)?;
        if let Some(status) = refused {
            self.answer(film, &asked, Status(status), &smb::error())?;
            return Ok(false);
        }
        if let Logon::Ticket(code) = logon {
            // The client may try again with another token, as the status says, or give up.
            let refusal = kerberos::refusal(&names, code);
            let refusal = auth::spnego_response(1, Some(OID_KERBEROS), &refusal);
            let body = smb::session_set_up(0, &refusal);
            self.answer(film, &asked, Status::MORE_PROCESSING_REQUIRED, &body)?;
            return Ok(false);
        }
        let anonymous = names.user.is_empty();
        let last = if kerberos {
            auth::spnego_response(0, Some(OID_KERBEROS), &kerberos::ap_rep(&names, 1))
        } else {
            auth::spnego_response(0, None, &[])
        };
        let flags = match logon {
            Logon::Guest => smb::IS_GUEST,
            _ if anonymous => smb::IS_NULL,
            _ => 0,
        };
        self.guest = logon == Logon::Guest;
        // Neither nobody nor a guest has a key to sign with.
        asked.header.signed |= flags == 0 && self.settings.signing;
        tokens.push((Side::Server, last.clone()));
        let keys = self.settings.keyring(kerberos);
        let tokens: Vec<_> = tokens.iter().map(|(side, token)| (*side, token.as_slice())).collect();
        let context = keys.map(|keys| agreed(&keys, &tokens));
        self.take_key(channel, context.as_ref().and_then(Context::session_key));
        let body = smb::session_set_up(flags, &last);
        self.answer(film, &asked, Status::SUCCESS, &body)?;
        Ok(true)
    }

    /// One request of a logon. The server names the session with its first answer.
    fn setup_leg(
        &mut self,
        film: &mut Film<'_>,
        channel: usize,
        (binding, first): (bool, bool),
        token: &[u8],
    ) -> io::Result<Asked> {
        let body = smb::session_setup(binding, token);
        let was = self.logged_on;
        // From the second leg on, and when a channel is bound, the client names it, too.
        self.logged_on = was || !first;
        let asked = self.ask_on(film, channel, command::SESSION_SETUP, 0, &body);
        self.logged_on = was;
        let mut asked = asked?;
        asked.header.session_id = self.id;
        if binding {
            asked.header.signed = self.settings.signing;
        }
        Ok(asked)
    }
}
