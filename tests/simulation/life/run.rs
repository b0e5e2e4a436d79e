//! Runs a life, from its first run to the check by the oracle.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use demarche_numerique::api::{PageSize, RateLimiter};
use demarche_numerique::ids::Scope;
use demarche_numerique::intent::{Action, Intent, Status};
use demarche_numerique::privacy::{Filter, Policy, Preset, PseudonymKey};
use demarche_numerique::sandbox::DEMARCHE_COMPLETE as DEMARCHE;
use demarche_numerique::sink::Outbox as _;
use demarche_numerique::sync::{self, Event, Job, Run, Settings, Stop, refresh};
use demarche_numerique::writeback::{Item as Pushing, Push, PushError, QUIET, push};
use demarche_numerique::{Client, DemarcheNumber, Dossier, DossierNumber};
use futures_util::future::{BoxFuture, join};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::time::sleep;

use super::intents::{self, AUTHOR, Asked};
use super::line::Line;
use super::listen::Said;
use super::oracle::{self, After, Truth};
use super::plan::{Act, Death, Plan, Step};
use super::stage::Stage;
use super::target::{Backup, Hold, Target};

/// A life under way.
pub struct Life<'p> {
    plan: &'p Plan,
    stage: Arc<Stage>,
    target: Target,
    scope: Scope,
    filter: Filter,
    settings: Settings,
    client: Client,
    asked: Vec<Asked>,
    /// The target before each step so far, in lives in which it goes back.
    backups: Vec<Backup>,
    said: Said,
    ours: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

/// Answer of a watcher of a run.
type Watched<'a> = dyn Fn(&Event) + Send + Sync + 'a;

impl<'p> Life<'p> {
    /// A life that has not begun.
    pub fn new(plan: &'p Plan, stage: Arc<Stage>, said: Said) -> Self {
        let terms = &plan.terms;
        let mut settings = Settings { max_delete_floor: terms.floor, ..Settings::default() };
        settings.page_size = PageSize::new(terms.page).expect("between 1 and 100");
        settings.rhythm.overlap = SignedDuration::from_mins(terms.overlap);
        settings.rhythm.follow_up_every = SignedDuration::from_hours(terms.follow_up);
        settings.rhythm.listing_every = SignedDuration::from_hours(terms.listing);
        Self {
            plan,
            target: Target::new(&stage),
            scope: Scope { instance: "essai".to_owned(), demarche: DemarcheNumber::new(DEMARCHE) },
            filter: filter(terms.policy),
            settings,
            client: client(plan, &stage),
            asked: Vec::new(),
            backups: Vec::new(),
            said,
            ours: {
                let stage = Arc::clone(&stage);
                Box::new(move || stage.ours())
            },
            stage,
        }
    }

    /// The whole of it.
    ///
    /// # Errors
    /// The violations of an invariant.
    pub async fn whole(mut self) -> Result<(), String> {
        for step in self.plan.steps() {
            sleep(step.wait).await;
            self.stage.catch_up();
            self.stage.state().skew += step.jump;
            self.step(step).await;
            self.stage.recover();
            self.unbroken()?;
        }
        self.stage.calm().await;
        self.promptness().await?;
        self.decisions().await?;
        self.completeness().await?;
        self.unbroken()?;
        match self.said.leak() {
            Some(line) => Err(format!("personal data in what was said: {line}")),
            None => Ok(()),
        }
    }

    fn unbroken(&self) -> Result<(), String> {
        match self.stage.state().broken.clone() {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }

    async fn step(&mut self, step: &Step) {
        self.stage.tell(&format!("step {}: {:?}", step.rank, step.act));
        if self.plan.steps().any(|step| matches!(step.act, Act::Restore(_))) {
            self.backups.push(self.target.backup());
        }
        let death = self.plan.death(step.rank);
        let stop = Stop::default();
        let survived = match &step.act {
            Act::Sync { full } => {
                let settings = Settings { full: *full, ..self.settings };
                let hold = self.target.hold();
                self.mortal(death, &stop, async |life, events| {
                    sync::run(&life.job(&hold, settings, &stop, events)).await
                })
                .await
            }
            Act::Repair => {
                let hold = self.target.hold();
                let settings = self.settings;
                self.mortal(death, &stop, async |life, events| {
                    sync::repair(&life.job(&hold, settings, &stop, events)).await
                })
                .await
            }
            Act::Remap => {
                let hold = self.target.hold();
                let settings = self.settings;
                self.mortal(death, &stop, async |life, events| {
                    sync::remap(&life.job(&hold, settings, &stop, events)).await
                })
                .await
            }
            Act::Rival(after) => {
                self.rival(*after).await;
                true
            }
            Act::Policy(preset) => {
                self.filter = filter(*preset);
                true
            }
            Act::Ask(count, from) => {
                self.ask(*count, *from).await;
                true
            }
            Act::Restore(back) => {
                self.restore(*back).await;
                true
            }
            Act::Push => {
                let work = self.push(&stop);
                let ended = mortal(work, death, &stop, &self.stage).await;
                self.told_push(ended)
            }
        };
        if !survived {
            self.stage.tell("it dies");
            self.stage.count("deaths in the middle of something");
            // Whoever is to die in another way dies of a write before.
            if !matches!(death, Some((_, Death::Dropped | Death::Stopped))) {
                self.client = client(self.plan, &self.stage);
            }
        }
    }

    /// Work that may die. Whether it came to its end.
    async fn mortal(
        &self,
        death: Option<(u32, Death)>,
        stop: &Stop,
        work: impl AsyncFnOnce(&Self, &Watched<'_>) -> Run,
    ) -> bool {
        let events = |event: &Event| self.heard(event);
        match mortal(work(self, &events), death, stop, &self.stage).await {
            Some(run) => {
                self.told(&run);
                true
            }
            None => false,
        }
    }

    /// A run, and another one that takes the target from it.
    async fn rival(&self, after: Duration) {
        let (stop, client) = (Stop::default(), client(self.plan, &self.stage));
        let events = |event: &Event| self.heard(event);
        let first = self.target.hold();
        let one = async { sync::run(&self.job(&first, self.settings, &stop, &events)).await };
        let other = async {
            sleep(after).await;
            let second = self.target.hold();
            let job = Job { client: &client, ..self.job(&second, self.settings, &stop, &events) };
            sync::run(&job).await
        };
        let (one, other) = join(one, other).await;
        self.told(&one);
        self.told(&other);
    }

    async fn ask(&mut self, count: u32, from: u64) {
        let asked = intents::draw(&self.stage.sandbox.world(), &self.asked, count, from);
        let wanted: Vec<Intent> = asked.iter().map(|asked| asked.intent.clone()).collect();
        self.asked.extend(asked);
        let at = self.stage.ours();
        if let Err(error) = self.target.hold().put(&self.scope, &wanted, at).await {
            self.stage.tell(&format!("asking failed: {error}"));
        }
    }

    /// The target goes back. What was asked for since is gone from it, and nobody asks for it a second time.
    async fn restore(&mut self, back: u32) {
        let before = self.backups.len().saturating_sub(2 + back as usize);
        let Some(backup) = self.backups.get(before) else { return };
        let mut known = Vec::new();
        for asked in &self.asked {
            known.push(
                self.target.outbox.status(&self.scope, &asked.intent.id).await.is_ok_and(|status| status.is_some()),
            );
        }
        self.target.restore(backup);
        for (asked, known) in self.asked.iter_mut().zip(known) {
            let left =
                self.target.outbox.status(&self.scope, &asked.intent.id).await.is_ok_and(|status| status.is_some());
            asked.forgotten = (asked.forgotten || known) && !left;
            asked.restored = true;
        }
        self.stage.count("targets that go back");
    }

    async fn push(&self, stop: &Stop) -> Result<demarche_numerique::writeback::Pushed, PushError> {
        let hold = self.target.hold();
        let stage = &self.stage;
        let events = |event: &Event| self.heard(event);
        let items = |item: &Pushing| {
            stage.tell(&format!("intent {} is {}", item.id, item.status.as_str()));
            self.said.add(&format!("{:?}", item.words));
        };
        let job = self.job(&hold, self.settings, stop, &events);
        let work = Push {
            client: &self.client,
            outbox: &hold,
            scope: &self.scope,
            filter: &self.filter,
            author: Some(AUTHOR),
            quiet: QUIET,
            once: false,
            events: &items,
            stop,
            clock: &*self.ours,
        };
        let take_in = |dossiers: Vec<Dossier>| -> BoxFuture<'_, Result<(), PushError>> {
            Box::pin(async {
                refresh(&job, dossiers).await?;
                Ok(())
            })
        };
        push(&work, &take_in).await
    }

    /// Checks the result of a push, if it survived. Returns true if it did.
    fn told_push(&self, ended: Option<Result<demarche_numerique::writeback::Pushed, PushError>>) -> bool {
        match ended {
            Some(Ok(pushed)) => self.stage.tell(&format!("pushed: {:?}", pushed.counts)),
            Some(Err(error)) => {
                self.stage.count("pushes that end early");
                self.stage.tell(&format!("the push ends early: {error}"));
                self.said.add(&format!("{error} {error:?}"));
            }
            None => return false,
        }
        true
    }

    fn job<'a>(
        &'a self,
        hold: &'a Hold<'a>,
        settings: Settings,
        stop: &Stop,
        events: &'a Watched<'a>,
    ) -> Job<'a, Hold<'a>> {
        Job {
            client: &self.client,
            sink: hold,
            scope: self.scope.clone(),
            filter: &self.filter,
            settings,
            events,
            stop: stop.clone(),
            clock: &*self.ours,
        }
    }

    fn heard(&self, event: &Event) {
        let line = format!("{event:?}");
        match event {
            Event::Quarantined { .. } => self.stage.count("dossiers set aside"),
            Event::Released(_) => self.stage.count("dossiers let out again"),
            Event::Brake { .. } => self.stage.count("deletions held back"),
            Event::SuppressionsIncomplete => self.stage.count("lists of deletions that cannot be read"),
            Event::Schema(_) => self.stage.count("changes to tables"),
            _ => {}
        }
        self.stage.tell(&line);
        self.said.add(&line);
    }

    fn told(&self, run: &Run) {
        self.stage.count("runs");
        if let Some(error) = &run.error {
            self.stage.count("runs that end early");
            self.said.add(&format!("{error} {error:?}"));
            self.stage.tell(&format!("the run ends early: {error}"));
        } else {
            self.stage.tell(&format!("the run ends: {:?}, watermark {:?}", run.report.counts, run.report.watermark));
        }
        self.said.add(&serde_json::to_string(&run.report).unwrap_or_default());
    }

    /// A run in which nothing goes wrong.
    async fn good_run(&self, settings: Settings) -> Result<Run, String> {
        let hold = self.target.hold();
        let stop = Stop::default();
        let events = |event: &Event| self.heard(event);
        let run = sync::run(&self.job(&hold, settings, &stop, &events)).await;
        self.told(&run);
        self.unbroken()?;
        match &run.error {
            Some(error) => Err(format!("a run in which nothing goes wrong fails: {error}")),
            None => Ok(run),
        }
    }

    /// One ordinary run must bring everything that has a date, even while some dossiers cannot be read.
    async fn promptness(&self) -> Result<(), String> {
        self.stage.tell("nothing goes wrong any more: one ordinary run");
        let before = self.target.inner.content(&self.scope).quarantine;
        let run = self.good_run(self.settings).await?;
        let content = self.target.inner.content(&self.scope);
        self.odd_ones(|number| content.quarantine.contains_key(number) && !before.contains_key(number))?;
        let (silent, all_silent) = {
            let state = self.stage.state();
            (state.silent.clone(), state.all_silent)
        };
        // What the back office asks for may be without a date as well.
        let labelled = |number: u32| {
            let of = self.asked.iter().filter(|asked| asked.intent.dossier.get() == number);
            of.map(|asked| &asked.intent.action).any(|action| matches!(action, Action::Label { .. }))
        };
        let silent = |number: u32| all_silent || silent.contains(&number) || labelled(number);
        let lists = !run.report.suppressions_incomplete && run.report.brake.is_none();
        self.truth(After::Run { silent: &silent, lists }, &content)
            .map_err(|what| format!("after an ordinary run in which nothing went wrong: {what}"))
    }

    /// A value that is odd costs itself, never its dossier.
    fn odd_ones(&self, set_aside: impl Fn(&DossierNumber) -> bool) -> Result<(), String> {
        let poison = self.stage.sandbox.world().poison.clone();
        let state = self.stage.state();
        let wrong = |number: &&u32| poison.contains_key(*number) || state.refused.contains(*number);
        let mut odd = state.odd.keys().filter(|number| !wrong(number)).map(|number| DossierNumber::new(*number));
        match odd.find(|number| set_aside(number)) {
            Some(number) => Err(format!("dossier {number} is set aside, and only one value of it is odd")),
            None => Ok(()),
        }
    }

    /// Checks that each intent was applied once, or reported as not applied.
    async fn decisions(&self) -> Result<(), String> {
        self.stage.heal();
        let wanted = self.asked.iter().filter(|asked| !asked.forgotten);
        let wanted: Vec<Intent> = wanted.map(|asked| asked.intent.clone()).collect();
        let hold = self.target.hold();
        hold.put(&self.scope, &wanted, self.stage.ours()).await.map_err(|error| error.to_string())?;
        // The platform may put one off 24 times, a quarter of an hour each; others about its dossier wait meanwhile.
        for _ in 0..32 * wanted.len() {
            let stop = Stop::default();
            let ended = self.push(&stop).await;
            let error = ended.as_ref().err().map(ToString::to_string);
            self.told_push(Some(ended));
            if let Some(error) = error {
                return Err(format!("a push in which nothing goes wrong fails: {error}"));
            }
            let depth = self.target.outbox.depth(&self.scope).await.map_err(|error| error.to_string())?;
            if depth.iter().all(|(status, _)| *status != Status::Pending) {
                break;
            }
            sleep(Duration::from_secs(16 * 60)).await;
        }
        let mut ended = Vec::new();
        for asked in &self.asked {
            let status = self.target.outbox.status(&self.scope, &asked.intent.id).await;
            let status = status.map_err(|error| error.to_string())?;
            self.stage.count(match status {
                Some(Status::Done) => "intents done",
                Some(Status::AlreadyDone) => "intents done already",
                Some(Status::Ambiguous) => "intents in doubt",
                _ => "intents refused",
            });
            ended.push((asked.clone(), status));
        }
        intents::judge(&ended, &self.stage.sandbox.audit())
    }

    /// A complete reading must bring everything, and another one must find nothing to do.
    async fn completeness(&self) -> Result<(), String> {
        self.stage.tell("a day later: everything is read again and compared");
        sleep(Duration::from_secs(25 * 3_600)).await;
        let mut settings = Settings { full: true, allow_deletes: true, ..self.settings };
        settings.rhythm.listing_every = SignedDuration::from_mins(1);
        self.good_run(settings).await?;
        let content = self.target.inner.content(&self.scope);
        self.truth(After::Everything, &content).map_err(|what| format!("after a complete reading: {what}"))?;
        oracle::feed(&content)?;
        for line in &content.feed {
            self.stage.count(line.kind.as_str());
        }
        let again = self.good_run(settings).await?.report;
        let counts = again.counts;
        if counts.inserted + counts.updated + counts.deleted + counts.restored + counts.rewritten + again.rows_written
            > 0
        {
            return Err(format!("a second reading of what did not move changes something: {counts:?}"));
        }
        let hold = self.target.hold();
        let verified = sync::verify(&self.client, &hold, &self.scope, &self.filter, |_| {})
            .await
            .map_err(|error| error.to_string())?;
        if !verified.is_exact() {
            return Err(format!("verify finds a difference: {verified:?}"));
        }
        match self.stage.sandbox.violations().first() {
            Some(violation) => Err(format!("a request that is never to be sent: {violation}")),
            None => Ok(()),
        }
    }

    fn truth(&self, after: After<'_>, content: &demarche_numerique::sink::memory::Content) -> Result<(), String> {
        let snapshot = self.stage.sandbox.snapshot(DEMARCHE);
        let policy = self.filter.policy();
        Truth { platform: self.plan.terms.platform, snapshot: &snapshot, policy, after }.compare(content)
    }
}

/// A process that begins: its own count of requests.
fn client(plan: &Plan, stage: &Arc<Stage>) -> Client {
    let terms = &plan.terms;
    let clock = Arc::clone(stage);
    Client::builder(terms.platform)
        .url("http://localhost/api/v2/graphql")
        .token(stage.sandbox.token())
        .limiter(RateLimiter::new(terms.limit, Duration::from_secs(60)))
        .retry_jitter(0.0)
        .clock(move || clock.ours())
        .exchange(Line::new(stage, terms.limit, terms.page))
        .build()
        .expect("valid settings")
}

fn filter(preset: Preset) -> Filter {
    let key = PseudonymKey::new(&SecretString::from("a key for simulated lives only")).expect("long enough");
    Filter::new(Policy { preset, ..Policy::default() }, Some(key)).expect("a preset is sound")
}

/// Work that is dropped, or asked to stop, when it is polled so often; or dropped in the middle of a write. `None` when
/// it was dropped.
async fn mortal<F: Future>(work: F, death: Option<(u32, Death)>, stop: &Stop, stage: &Stage) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut polls = 0;
    poll_fn(|context| {
        polls += 1;
        match death {
            Some((at, Death::Stopped)) if at == polls => stop.ask(),
            Some((at, _)) if at == polls => return Poll::Ready(None),
            _ => {}
        }
        let polled = work.as_mut().poll(context).map(Some);
        if polled.is_pending() && stage.dies() { Poll::Ready(None) } else { polled }
    })
    .await
}
