//! The forms: questions, revisions, and the generated ones.

use std::sync::Arc;

use jiff::Timestamp;

use crate::Platform;
use crate::kind::Kind;
use crate::spec::FormSpec;

/// A question of the form, as one revision asks it.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Survives revisions and cloning; ids are made of it.
    pub stable_id: u64,
    /// The present kind.
    pub kind: Kind,
    /// The first kind: generated answers are of this kind, and read as empty if they do not fit `kind`.
    pub born: Kind,
    /// Title of the question; may be the title of another one too.
    pub label: String,
    /// Help text.
    pub description: Option<String>,
    /// `true` if an answer is mandatory.
    pub required: bool,
    /// Choices of the lists.
    pub options: Vec<String>,
    /// Questions of a repetition.
    pub children: Vec<Question>,
    /// The nature of a file, in the platform's word; none by default.
    pub nature: &'static str,
    /// Shown only while the yes/no or checkbox question of this stable id says yes.
    pub shown_if: Option<u64>,
}

impl Question {
    /// An optional question without options.
    #[must_use]
    pub fn new(stable_id: u64, kind: Kind, label: &str) -> Self {
        Self {
            stable_id,
            kind,
            born: kind,
            label: label.to_owned(),
            description: None,
            required: false,
            options: Vec::new(),
            children: Vec::new(),
            nature: "NON_SPECIFIE",
            shown_if: None,
        }
    }

    fn options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|option| (*option).to_owned()).collect();
        self
    }

    fn shown_if(mut self, stable_id: u64) -> Self {
        self.shown_if = Some(stable_id);
        self
    }

    fn children(mut self, children: Vec<Self>) -> Self {
        self.children = children;
        self
    }

    fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// The questions of one revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    /// Asked to the usager.
    pub champs: Vec<Question>,
    /// Asked to the instructeurs.
    pub annotations: Vec<Question>,
}

impl Form {
    /// The question with that stable id, among champs, annotations and their children.
    #[must_use]
    pub fn question(&self, stable_id: u64) -> Option<&Question> {
        let all = self.champs.iter().chain(&self.annotations);
        all.flat_map(|question| std::iter::once(question).chain(&question.children)).find(|q| q.stable_id == stable_id)
    }

    /// The same, to change it before publishing.
    pub fn question_mut(&mut self, stable_id: u64) -> Option<&mut Question> {
        fn find(questions: &mut [Question], stable_id: u64) -> Option<&mut Question> {
            for question in questions {
                if question.stable_id == stable_id {
                    return Some(question);
                }
                if let Some(child) = find(&mut question.children, stable_id) {
                    return Some(child);
                }
            }
            None
        }
        find(&mut self.champs, stable_id).or_else(|| find(&mut self.annotations, stable_id))
    }

    /// Takes a question away.
    pub fn remove(&mut self, stable_id: u64) {
        for list in [&mut self.champs, &mut self.annotations] {
            list.retain(|question| question.stable_id != stable_id);
            for question in list.iter_mut() {
                question.children.retain(|child| child.stable_id != stable_id);
            }
        }
    }

    /// The first top-level champ of that kind.
    #[must_use]
    pub fn champ_of(&self, kind: Kind) -> Option<&Question> {
        self.champs.iter().find(|question| question.kind == kind)
    }

    /// The first annotation of that kind.
    #[must_use]
    pub fn annotation_of(&self, kind: Kind) -> Option<&Question> {
        self.annotations.iter().find(|question| question.kind == kind)
    }
}

/// One version of the form.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Number of the row; the id is made of it.
    pub number: u64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it was published; the draft never was.
    pub published_at: Option<Timestamp>,
    /// Its questions.
    pub form: Arc<Form>,
}

/// Stable ids of the complete form that tests need to name.
pub mod stable_id {
    /// Asks whether the applicant represents a company; shows [`SIRET`] when yes.
    pub const REPRESENTE: u64 = 100;
    /// Shown only when [`REPRESENTE`] says yes.
    pub const SIRET: u64 = 101;
    /// Renamed by the second revision.
    pub const RENAMED: u64 = 102;
    /// Removed by the third revision.
    pub const REMOVED: u64 = 103;
    /// A whole number widened to text by the third revision.
    pub const WIDENED: u64 = 104;
    /// Two questions with the same label.
    pub const HOMONYMS: [u64; 2] = [105, 106];
    /// The repetition block; its children are 201 to 205.
    pub const REPETITION: u64 = 200;
    /// Every other kind of question is at this number plus its rank in [`crate::Kind::all`].
    pub const FIRST_OF_KINDS: u64 = 300;
    /// The kinds of [`crate::Kind::NEWER`], of a newer platform.
    pub const FIRST_NEWER: u64 = 500;
    /// A file that has to be a bank statement, of a newer platform.
    pub const RIB: u64 = 520;
    /// A file that has to be an identity document, of a newer platform.
    pub const IDENTITY: u64 = 521;
    /// Annotations: text, checkbox, date, datetime, whole number, decimal, list, yes/no, repetition (with one child, 480).
    pub const FIRST_ANNOTATION: u64 = 400;
}

/// Which kinds the complete form asks beside those of the pinned schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    /// One that no schema knows.
    pub(crate) unknown: bool,
    /// Those that are newer than the pinned schema.
    pub(crate) newer: bool,
}

/// The revisions of a generated démarche, oldest first; the last one is the draft.
pub(crate) fn revisions(
    spec: FormSpec,
    platform: Platform,
    kinds: Kinds,
    brouillon: bool,
    demarche: u32,
    start: Timestamp,
) -> Vec<Revision> {
    let days_ago = |days: i64| start - jiff::SignedDuration::from_hours(24 * days);
    let forms = match spec {
        FormSpec::Complete => complete(platform, kinds),
        FormSpec::Simple { champs } => vec![simple(champs)],
    };
    let first = u64::from(demarche) * 100;
    let published = if brouillon { 0 } else { forms.len() };
    let mut revisions = Vec::new();
    for (rank, form) in forms.iter().take(published).enumerate() {
        let days = 410 - 150 * i64::try_from(rank).unwrap_or(0);
        revisions.push(Revision {
            number: first + rank as u64,
            created_at: days_ago(days + 5),
            published_at: Some(days_ago(days)),
            form: Arc::new(form.clone()),
        });
    }
    let draft = forms.into_iter().next_back().unwrap_or_default();
    let number = first + revisions.len() as u64;
    revisions.push(Revision { number, created_at: days_ago(420), published_at: None, form: Arc::new(draft) });
    if let [.., published, draft] = &mut revisions[..] {
        draft.created_at = published.created_at;
    }
    revisions
}

fn simple(count: u32) -> Form {
    let kinds = [Kind::Text, Kind::IntegerNumber, Kind::DecimalNumber, Kind::Date, Kind::YesNo, Kind::DropDownList];
    let champs = (0..count).map(|rank| {
        let kind = kinds[rank as usize % kinds.len()];
        let mut question = Question::new(1000 + u64::from(rank), kind, &format!("Question {}", rank + 1));
        if kind == Kind::DropDownList {
            question = question.options(&["Rouge", "Vert", "Bleu"]);
        }
        question
    });
    Form { champs: champs.collect(), annotations: vec![Question::new(1900, Kind::Text, "Remarque")] }
}

fn complete(platform: Platform, kinds: Kinds) -> Vec<Form> {
    use stable_id as id;
    let mut champs = vec![
        Question::new(id::REPRESENTE, Kind::YesNo, "Représentez-vous une entreprise ?").required(),
        Question::new(id::SIRET, Kind::Siret, "SIRET de l’entreprise").shown_if(id::REPRESENTE),
        Question::new(id::RENAMED, Kind::Text, "Nom du projet").required(),
        Question::new(id::REMOVED, Kind::Text, "Ancienne référence"),
        Question::new(id::WIDENED, Kind::IntegerNumber, "Nombre de participants"),
        Question::new(id::HOMONYMS[0], Kind::Text, "Commentaire"),
        Question::new(id::HOMONYMS[1], Kind::Textarea, "Commentaire"),
        Question::new(id::REPETITION, Kind::Repetition, "Intervenants").children(vec![
            Question::new(201, Kind::Text, "Nom").required(),
            Question::new(202, Kind::Date, "Date de naissance"),
            Question::new(203, Kind::DecimalNumber, "Montant"),
            Question::new(204, Kind::PieceJustificative, "Justificatif"),
            Question::new(205, Kind::YesNo, "Rémunéré ?"),
        ]),
    ];
    for (rank, kind) in Kind::all(platform).into_iter().enumerate() {
        if kind == Kind::Repetition || kind == Kind::Nouveau && !kinds.unknown {
            continue;
        }
        let stable_id = id::FIRST_OF_KINDS + rank as u64;
        let mut question = Question::new(stable_id, kind, &format!("Champ {}", kind.type_champ()));
        question.description = Some(format!("Un champ de type {}.", kind.type_champ()));
        champs.push(match kind {
            Kind::DropDownList => question.options(&["Pomme", "Poire, Williams", "Prune"]),
            Kind::MultipleDropDownList => question.options(&["Lundi", "Mardi", "Mercredi, matin", "Jeudi"]),
            Kind::LinkedDropDownList => {
                question.options(&["--Fruits--", "Pomme", "Poire", "--Légumes--", "Carotte", "Navet"])
            }
            _ => question,
        });
    }
    if kinds.newer && platform == Platform::DemarcheNumerique {
        for (rank, kind) in (0..).zip(Kind::NEWER) {
            champs.push(Question::new(id::FIRST_NEWER + rank, kind, &format!("Champ {}", kind.type_champ())));
        }
        let file =
            |stable_id, label, nature| Question { nature, ..Question::new(stable_id, Kind::PieceJustificative, label) };
        champs.push(file(id::RIB, "Votre RIB", "RIB"));
        champs.push(file(id::IDENTITY, "Votre pièce d’identité", "TITRE_IDENTITE"));
    }
    let annotation = |rank: u64, kind, label| Question::new(id::FIRST_ANNOTATION + rank, kind, label);
    let annotations = vec![
        annotation(0, Kind::Text, "Avis du service"),
        annotation(1, Kind::Checkbox, "Complet"),
        annotation(2, Kind::Date, "Date de commission"),
        annotation(3, Kind::Datetime, "Rendez-vous"),
        annotation(4, Kind::IntegerNumber, "Score"),
        annotation(5, Kind::DecimalNumber, "Montant accordé"),
        annotation(6, Kind::DropDownList, "Priorité").options(&["Basse", "Normale", "Haute"]),
        annotation(7, Kind::YesNo, "Prioritaire ?"),
        annotation(8, Kind::Repetition, "Versements").children(vec![Question::new(480, Kind::Text, "Référence")]),
    ];
    let first = Form { champs, annotations };
    let mut second = first.clone();
    if let Some(question) = second.question_mut(id::RENAMED) {
        question.label = "Intitulé du projet".to_owned();
    }
    let mut third = second.clone();
    third.remove(id::REMOVED);
    if let Some(question) = third.question_mut(id::WIDENED) {
        question.kind = Kind::Text;
    }
    vec![first, second, third]
}
