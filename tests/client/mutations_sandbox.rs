//! Mutations against the embedded platform, which checks them and records their effects.

use demarche_numerique::api::{
    AnnotationEdit, AnnotationValue, ApiError, Author, Civilite, Client, CorrectionReason, Mutation, MutationError,
    NewGroupe, ProfileRef, SignedBlobId, Upload, UploadError,
};
use demarche_numerique::champ::{ChampValue, Territory};
use demarche_numerique::dossier::{Demandeur, Dossier, DossierState};
use demarche_numerique::ids::{ChampId, DemarcheNumber, DossierId, DossierNumber, InstructeurId, LabelId};
use demarche_numerique::platform::Platform;
use demarche_numerique::sandbox::world::Effect;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Fault, Kind, Reset, Sandbox, Server, WorldSpec};

use super::sandbox::open;

const COMPLETE: DemarcheNumber = DemarcheNumber::new(DEMARCHE_COMPLETE);

/// A platform, a client, a dossier in construction and somebody who may treat it.
struct Setup {
    sandbox: Sandbox,
    _server: Server,
    client: Client,
    number: DossierNumber,
    by: Author,
}

async fn setup(platform: Platform) -> Setup {
    let (sandbox, _server, client) = open(&WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(24)).await;
    let truth = sandbox.snapshot(DEMARCHE_COMPLETE);
    let mut found = None;
    for number in truth.dossiers.keys().map(|number| DossierNumber::new(*number)) {
        let dossier = client.dossier(number).await.expect("an answer").expect("it is listed");
        // A company whose record is not complete cannot be decided about.
        let plain = matches!(dossier.demandeur, Demandeur::PersonnePhysique { .. })
            && dossier.date_previsionnelle_decision_sva_svr.is_none();
        if dossier.state == DossierState::EnConstruction && plain {
            found = Some(dossier);
            break;
        }
    }
    let dossier = found.expect("some dossier is in construction");
    let demarche = client.demarche(COMPLETE).await.expect("the démarche");
    let groupe = demarche.groupes_instructeurs.iter().find(|groupe| groupe.id == dossier.groupe_instructeur.id);
    let instructeur = InstructeurId::new(&groupe.expect("its groupe").instructeurs[0].id);
    Setup { sandbox, _server, client, number: dossier.number, by: Author { instructeur, silent: false } }
}

impl Setup {
    async fn read(&self) -> Dossier {
        self.client.dossier(self.number).await.expect("an answer").expect("it is there")
    }

    async fn id(&self) -> DossierId {
        self.read().await.id
    }

    async fn apply(&self, mutation: &Mutation) -> Result<demarche_numerique::api::MutationReceipt, MutationError> {
        self.client.apply(&self.id().await, &self.by, mutation).await
    }

    /// Returns the effects that the platform recorded.
    fn done(&self) -> Vec<Effect> {
        self.sandbox.audit().into_iter().map(|entry| entry.effect).collect()
    }
}

fn message(body: &str) -> Mutation {
    Mutation::EnvoyerMessage { body: body.to_owned(), attachment: None, correction: None }
}

#[tokio::test]
async fn a_dossier_is_examined_decided_with_a_file_told_about_and_archived() {
    for platform in Platform::ALL {
        let setup = setup(platform).await;
        let receipt = setup.apply(&Mutation::PasserEnInstruction).await.expect("from en_construction");
        assert_eq!(receipt.dossier.expect("a mark").state, DossierState::EnInstruction);

        let upload = Upload::for_decision("arrêté.pdf", "un arrêté").expect("the platform takes it");
        let blob = setup.client.upload(&setup.id().await, &upload).await.expect("it is stored");
        let decision = Mutation::Accepter { motivation: Some("Complet".to_owned()), justificatif: Some(blob) };
        let silent = Author { silent: true, ..setup.by.clone() };
        let receipt = setup.client.apply(&setup.id().await, &silent, &decision).await.expect("from en_instruction");
        let mark = receipt.dossier.expect("a mark");
        let dossier = setup.read().await;
        assert_eq!((mark.number, &mark.state), (setup.number, &DossierState::Accepte));
        assert_eq!(mark.date_derniere_modification, dossier.date_derniere_modification);
        assert_eq!(dossier.motivation.as_deref(), Some("Complet"));
        assert_eq!(dossier.motivation_attachment.map(|file| file.checksum).as_deref(), Some(upload.checksum()));
        let audit = setup.sandbox.audit();
        assert!(!audit.last().expect("an entry").notified, "{platform}: nobody was written to");

        let upload = Upload::for_message("suite.txt", "la suite").expect("the platform takes it");
        let attachment = Some(setup.client.upload(&dossier.id, &upload).await.expect("it is stored"));
        let sent = Mutation::EnvoyerMessage { body: "Voici la suite".to_owned(), attachment, correction: None };
        let mark = setup.apply(&sent).await.expect("it is sent").message.expect("a mark");
        let dossier = setup.read().await;
        let found = dossier.messages.iter().find(|one| one.id == mark.id.as_str()).expect("it is in the mailbox");
        assert_eq!((found.created_at, &found.body[..]), (mark.created_at, "Voici la suite"));
        assert_eq!(found.attachments[0].checksum, upload.checksum());

        assert!(setup.apply(&Mutation::Archiver).await.expect("it is decided").dossier.expect("a mark").archived);
        let refused = setup.apply(&message("Encore")).await.expect_err("it is archived");
        assert!(matches!(refused, MutationError::Refused { .. }), "{refused}");
    }
}

/// One value for each annotation of the complete form, and what is read back.
fn values() -> Vec<(&'static str, AnnotationValue, ChampValue)> {
    use AnnotationValue as V;
    let day = "2026-03-01".parse().expect("a date");
    let instant = "2026-03-01T10:30:00Z".parse().expect("an instant");
    let decimal: rust_decimal::Decimal = "1234.5".parse().expect("a decimal");
    let high = ChampValue::Choice { label: "Haute".to_owned(), value: None };
    vec![
        ("Avis du service", V::Text("Favorable".to_owned()), ChampValue::Text("Favorable".to_owned())),
        ("Complet", V::Checkbox(true), ChampValue::Boolean(true)),
        ("Date de commission", V::Date(day), ChampValue::Date(day)),
        ("Rendez-vous", V::Datetime(instant), ChampValue::Datetime(instant)),
        ("Score", V::IntegerNumber(-7), ChampValue::Integer(-7)),
        ("Montant accordé", V::DecimalNumber(decimal), ChampValue::Decimal(decimal)),
        ("Priorité", V::DropDownList("Haute".to_owned()), high),
        ("Prioritaire ?", V::YesNo(true), ChampValue::Boolean(true)),
    ]
}

#[tokio::test]
async fn annotations_are_written_one_by_one_or_in_a_batch_and_read_back() {
    for platform in Platform::ALL {
        for together in [false, true] {
            let setup = setup(platform).await;
            let dossier = setup.read().await;
            let id = |label: &str| dossier.annotation(label).expect(label).id.clone();
            let written: Vec<_> = values()
                .into_iter()
                .filter(|(_, value, _)| {
                    let single = Mutation::ModifierAnnotation { annotation: id("Score"), value: value.clone() };
                    single.is_available_on(platform)
                })
                .collect();
            assert_eq!(written.len(), if platform == Platform::DemarcheNumerique { 8 } else { 6 });
            let edits =
                written.iter().map(|(label, value, _)| AnnotationEdit { annotation: id(label), value: value.clone() });
            let mutations = if together {
                Mutation::ModifierAnnotations { edits: edits.collect() }.compose(platform).expect("it can be made")
            } else {
                let single = |AnnotationEdit { annotation, value }| Mutation::ModifierAnnotation { annotation, value };
                edits.map(single).collect()
            };
            for mutation in &mutations {
                setup.apply(mutation).await.expect("it is written");
            }
            assert_eq!(setup.done().len(), written.len());
            let after = setup.read().await;
            for (label, _, expected) in &written {
                assert_eq!(after.annotation(label).expect(label).value, *expected, "{platform} {label}");
            }
        }
    }
}

#[tokio::test]
async fn a_batch_is_written_in_part_and_says_so() {
    let setup = setup(Platform::DemarcheNumerique).await;
    let dossier = setup.read().await;
    let edit =
        |label: &str, value| AnnotationEdit { annotation: dossier.annotation(label).expect(label).id.clone(), value };
    let edits = vec![
        edit("Avis du service", AnnotationValue::Text("Favorable".to_owned())),
        edit("Score", AnnotationValue::Text("sept".to_owned())),
        AnnotationEdit { annotation: ChampId::new("Q2hhbXAtOTk5OTk="), value: AnnotationValue::YesNo(true) },
    ];
    let error = setup.apply(&Mutation::ModifierAnnotations { edits }).await.expect_err("two of them are wrong");
    let MutationError::Refused { messages, applied, .. } = error else { panic!("{error}") };
    assert_eq!(messages.len(), 2);
    assert!(
        messages[0].ends_with("n’est pas de type attendu") && messages[1].ends_with("n’existe pas"),
        "{messages:?}"
    );
    assert_eq!(applied, [dossier.annotation("Avis du service").expect("it is there").id.clone()]);
    assert_eq!(setup.done().len(), 1);
}

#[tokio::test]
async fn a_row_is_added_and_filled() {
    for platform in Platform::ALL {
        let setup = setup(platform).await;
        let block = setup.read().await.annotation("Versements").expect("it is there").id.clone();
        let added = setup.apply(&Mutation::AjouterLigne { annotation: block.clone() }).await.expect("it is added");
        let row = added.rows.last().expect("its id").clone();
        let rows = |dossier: &Dossier| match &dossier.annotation("Versements").expect("it is there").value {
            ChampValue::Repetition(rows) => rows.clone(),
            other => panic!("{other:?}"),
        };
        let before = rows(&setup.read().await);
        let new = before.last().expect("a row");
        assert_eq!(new.id, row, "{platform}");
        let value = AnnotationValue::Text("V-1".to_owned());
        setup
            .apply(&Mutation::ModifierAnnotation { annotation: new.champs[0].id.clone(), value })
            .await
            .expect("filled");
        let after = rows(&setup.read().await);
        assert_eq!(after.last().expect("a row").champs[0].value, ChampValue::Text("V-1".to_owned()));

        // Two rows at once, by whatever the platform has.
        let two = Mutation::ModifierAnnotation { annotation: block, value: AnnotationValue::Repetition(2) };
        for mutation in two.compose(platform).expect("it can be made") {
            setup.apply(&mutation).await.expect("it is added");
        }
        assert_eq!(rows(&setup.read().await).len(), after.len() + 2, "{platform}");
    }
}

#[tokio::test]
async fn labels_groupes_and_followers_change_and_messages_are_taken_back() {
    let setup = setup(Platform::DemarcheNumerique).await;
    let demarche = setup.client.demarche(COMPLETE).await.expect("the démarche");
    let before = setup.read().await;
    let unused = demarche.labels.iter().find(|label| !before.labels.contains(label)).expect("a label is free");
    let label = LabelId::new(&unused.id);
    setup.apply(&Mutation::AjouterLabel { label: label.clone() }).await.expect("it is put on");
    assert!(setup.read().await.labels.contains(unused));
    setup.apply(&Mutation::SupprimerLabel { label }).await.expect("it is taken off");
    assert_eq!(setup.read().await.labels, before.labels);

    let me = setup.by.instructeur.as_str();
    for follow in [true, false] {
        setup.apply(&Mutation::Suivre { follow }).await.expect("it is heard");
        assert_eq!(setup.read().await.instructeurs.iter().any(|profile| profile.id == me), follow);
    }

    let mark = setup.apply(&message("À reprendre")).await.expect("it is sent").message.expect("a mark");
    let emptied = setup.apply(&Mutation::SupprimerMessage { message: mark.id.clone() }).await.expect("it is emptied");
    assert_eq!(emptied.message.expect("a mark").id, mark.id);

    let new = NewGroupe {
        label: "Équipe du soir".to_owned(),
        closed: false,
        instructeurs: vec![ProfileRef::Id(setup.by.instructeur.clone())],
    };
    let made = setup.client.groupe_instructeur_creer(COMPLETE, &new).await.expect("it is made").groupe;
    setup.apply(&Mutation::ChangerGroupeInstructeur { groupe: made.id.clone() }).await.expect("it is handed over");
    assert_eq!(setup.read().await.groupe_instructeur.id, made.id);
    let twice = setup.apply(&Mutation::ChangerGroupeInstructeur { groupe: made.id.clone() }).await;
    let Err(MutationError::Refused { messages, .. }) = twice else { panic!("{twice:?}") };
    assert_eq!(messages, ["Le dossier est déjà avec le groupe instructeur: 'Équipe du soir'"]);
    let renamed = setup.client.groupe_instructeur_modifier(&made.id, Some("Équipe de nuit"), None).await;
    assert_eq!(renamed.expect("it is renamed").groupe.label, "Équipe de nuit");
    let guest = [ProfileRef::Email("nuit@example.org".to_owned())];
    let joined = setup.client.groupe_instructeur_ajouter_instructeurs(&made.id, &guest).await.expect("they are in");
    assert_eq!(joined.groupe.instructeurs.len(), 2);
    let left = setup.client.groupe_instructeur_supprimer_instructeurs(&made.id, &guest).await.expect("they are out");
    assert_eq!(left.groupe.instructeurs.len(), 1);
}

#[tokio::test]
async fn a_clone_is_a_demarche_of_its_own() {
    for platform in Platform::ALL {
        let setup = setup(platform).await;
        let clone = setup.client.demarche_cloner(COMPLETE, Some("Copie")).await.expect("it is cloned");
        assert_ne!(clone, COMPLETE);
        assert_eq!(setup.client.demarche(clone).await.expect("it is there").title, "Copie");
    }
}

#[tokio::test]
async fn a_correction_sends_a_dossier_back() {
    for platform in Platform::ALL {
        let setup = setup(platform).await;
        setup.apply(&Mutation::PasserEnInstruction).await.expect("from en_construction");
        let asked = Mutation::EnvoyerMessage {
            body: "Il manque le RIB".to_owned(),
            attachment: None,
            correction: Some(CorrectionReason::Incomplete),
        };
        setup.apply(&asked).await.expect("it is sent");
        let dossier = setup.read().await;
        assert_eq!(dossier.state, DossierState::EnConstruction, "{platform}");
        assert!(dossier.date_derniere_correction_en_attente.is_some(), "{platform}");
    }
}

#[tokio::test]
async fn refusals_come_in_the_words_of_the_platform_and_leave_nothing() {
    for platform in Platform::ALL {
        let setup = setup(platform).await;
        let accept = Mutation::Accepter { motivation: None, justificatif: None };
        let refused = setup.apply(&accept).await.expect_err("it is not examined yet");
        let MutationError::Refused { messages, .. } = refused else { panic!("{refused}") };
        assert_eq!(messages, ["Le dossier est déjà en construction"], "{platform}");

        let stranger = Author { instructeur: InstructeurId::new("SW5zdHJ1Y3RldXItOTk5OTk="), silent: false };
        let id = setup.id().await;
        let refused = setup.client.apply(&id, &stranger, &Mutation::PasserEnInstruction).await.expect_err("a stranger");
        assert!(
            matches!(refused, MutationError::Unknown(ApiError::NotFound { .. }) | MutationError::Refused { .. }),
            "{refused:?}"
        );

        let nowhere = DossierId::new("RG9zc2llci0w");
        let refused = setup.client.apply(&nowhere, &setup.by, &message("Bonjour")).await.expect_err("no such dossier");
        assert!(matches!(refused, MutationError::Unknown(ApiError::NotFound { .. })), "{refused:?}");

        assert!(setup.client.may_write().await.expect("an answer"));
        setup.sandbox.world().token_mut().write_access = false;
        assert!(!setup.client.may_write().await.expect("an answer"), "{platform}");
        let refused = setup.apply(&Mutation::PasserEnInstruction).await.expect_err("the token may only read");
        assert!(matches!(refused, MutationError::ReadOnlyToken { .. }), "{refused:?}");
        let upload = Upload::for_message("note.txt", "rien").expect("the platform takes it");
        let refused = setup.client.upload(&id, &upload).await.expect_err("the token may only read");
        assert!(matches!(refused, UploadError::Api(_)), "{refused:?}");
        assert!(refused.hint().is_some_and(|hint| hint.contains("may write")), "{refused:?}");
        assert_eq!(setup.done(), [], "{platform}: nothing was done");
        setup.sandbox.world().token_mut().revoked = true;
        let refused = setup.client.apply(&id, &setup.by, &Mutation::Archiver).await.expect_err("a revoked token");
        assert!(matches!(refused, MutationError::NotSent(_) | MutationError::ReadOnlyToken { .. }), "{refused:?}");
    }
}

/// After each fault the error of the client agrees with the recorded effects, and nothing is applied twice.
#[tokio::test]
async fn a_message_is_sent_once_whatever_happens_to_the_answer() {
    // (fault, how many messages the platform has sent, whether the client may say that it knows)
    let rows = [
        (Fault::RateLimited(Reset::In(1)), 1, true),
        (Fault::CloseBefore, 0, false),
        (Fault::LoseAnswer, 1, false),
        (Fault::Truncate, 1, false),
        (Fault::Crash, 0, false),
        (Fault::BadGateway, 0, false),
        (Fault::Maintenance, 0, false),
        (Fault::NotJson, 0, false),
        (Fault::NoData, 0, false),
        (Fault::CrashAfter, 1, false),
        (Fault::BadRequestAfter, 1, false),
        (Fault::Redirect, 0, true),
    ];
    for platform in Platform::ALL {
        let setup = setup(platform).await;
        let id = setup.id().await;
        for (fault, expected, known) in &rows {
            let before = setup.done().len();
            setup.sandbox.fault(fault.clone());
            let outcome = setup.client.apply(&id, &setup.by, &message("Bonjour")).await;
            assert_eq!(setup.done().len() - before, *expected, "{platform} {fault:?}: {outcome:?}");
            match outcome {
                Ok(_) => assert!(*known && *expected == 1, "{platform} {fault:?}"),
                Err(MutationError::Unknown(_)) => assert!(!known, "{platform} {fault:?}"),
                Err(MutationError::NotSent(_)) => assert!(*known && *expected == 0, "{platform} {fault:?}"),
                Err(error) => panic!("{platform} {fault:?}: {error}"),
            }
        }
    }
}

/// One value for each kind of annotation that is newer than the pinned schema, and what is read back.
fn newer_values() -> Vec<(Kind, AnnotationValue, ChampValue)> {
    use AnnotationValue as V;
    let place = |code: &str, name: &str| Territory { code: code.to_owned(), name: name.to_owned() };
    vec![
        (Kind::Phone, V::Phone("0199001234".to_owned()), ChampValue::Text("01 99 00 12 34".to_owned())),
        (
            Kind::Iban,
            V::Iban("GB82 WEST 1234 5698 7654 32".to_owned()),
            ChampValue::Text("GB82WEST12345698765432".to_owned()),
        ),
        (Kind::Formatted, V::Formatted("AB-12".to_owned()), ChampValue::Text("AB-12".to_owned())),
        (Kind::Civilite, V::Civilite(Civilite::Mme), ChampValue::Civilite("Mme".to_owned())),
        (Kind::Pays, V::Pays("Belgique".to_owned()), ChampValue::Pays(place("BE", "Belgique"))),
        (Kind::Regions, V::Regions("11".to_owned()), ChampValue::Region(place("11", "Île-de-France"))),
        (Kind::Departements, V::Departements("2A".to_owned()), ChampValue::Departement(place("2A", "Corse-du-Sud"))),
    ]
}

#[tokio::test]
async fn the_newer_kinds_of_annotations_are_written_in_one_mutation_and_read_back() {
    let setup = setup(Platform::DemarcheNumerique).await;
    let kinds: Vec<(Kind, AnnotationValue, ChampValue)> = newer_values();
    {
        let mut world = setup.sandbox.world();
        for (kind, ..) in &kinds {
            world.ask_annotation(DEMARCHE_COMPLETE, *kind, &format!("À remplir : {}", kind.type_champ()));
        }
        world.ask_annotation(DEMARCHE_COMPLETE, Kind::PieceJustificative, "Pièces");
        world.ask_annotation(DEMARCHE_COMPLETE, Kind::DossierLink, "Lié à");
    }
    let upload = async |name: &str| {
        let file = Upload::for_annotation(name, name.to_owned()).expect("the platform takes it");
        setup.client.upload(&setup.id().await, &file).await.expect("it is stored")
    };
    let files = vec![upload("avis.pdf").await, upload("plan.pdf").await];
    let linked = setup.number;
    let dossier = setup.read().await;
    let id = |label: &str| dossier.annotation(label).expect("it is asked").id.clone();
    let mut edits: Vec<AnnotationEdit> = kinds
        .iter()
        .map(|(kind, value, _)| AnnotationEdit {
            annotation: id(&format!("À remplir : {}", kind.type_champ())),
            value: value.clone(),
        })
        .collect();
    edits.push(AnnotationEdit { annotation: id("Pièces"), value: AnnotationValue::PieceJustificative(files) });
    edits.push(AnnotationEdit { annotation: id("Lié à"), value: AnnotationValue::DossierLink(linked) });
    let batch = Mutation::ModifierAnnotations { edits: edits.clone() };
    // A platform of the pinned schema has none of them.
    let lacks = setup.apply(&batch).await.expect_err("it is not there");
    assert!(matches!(lacks, MutationError::NotAvailable { .. }), "{lacks}");
    assert!(lacks.to_string().contains("phone"), "{lacks}");
    setup.sandbox.world().newer = true;
    let receipt = setup.apply(&batch).await.expect("it is done");
    assert_eq!(receipt.annotations.len(), edits.len());
    let dossier = setup.read().await;
    for (kind, _, expected) in &kinds {
        let found = dossier.annotation(&format!("À remplir : {}", kind.type_champ())).expect("it is asked");
        assert_eq!(found.value, *expected, "{kind:?}");
    }
    let ChampValue::Files(held) = &dossier.annotation("Pièces").expect("it is asked").value else { panic!("files") };
    let names: Vec<&str> = held.iter().map(|file| file.filename.as_str()).collect();
    assert!(names.ends_with(&["avis.pdf", "plan.pdf"]), "{names:?}");
    assert_eq!(dossier.annotation("Lié à").expect("it is asked").value, ChampValue::DossierLink(linked));
    assert_eq!(setup.sandbox.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_platform_refuses_of_the_newer_kinds_is_told() {
    let setup = setup(Platform::DemarcheNumerique).await;
    {
        let mut world = setup.sandbox.world();
        world.newer = true;
        world.ask_annotation(DEMARCHE_COMPLETE, Kind::Iban, "Compte");
        world.ask_annotation(DEMARCHE_COMPLETE, Kind::Pays, "Pays");
        world.ask_annotation(DEMARCHE_COMPLETE, Kind::PieceJustificative, "Pièces");
    }
    let dossier = setup.read().await;
    let id = |label: &str| dossier.annotation(label).expect("it is asked").id.clone();
    for (label, value) in [
        ("Compte", AnnotationValue::Iban("GB83WEST12345698765432".to_owned())),
        ("Pays", AnnotationValue::Pays("Atlantide".to_owned())),
        ("Pièces", AnnotationValue::PieceJustificative(vec![SignedBlobId::new("forged")])),
        ("Pays", AnnotationValue::Iban("GB82WEST12345698765432".to_owned())),
    ] {
        let mutation = Mutation::ModifierAnnotation { annotation: id(label), value };
        let refused = setup.apply(&mutation).await.expect_err(label);
        assert!(matches!(refused, MutationError::Refused { .. }), "{label}: {refused}");
    }
    assert_eq!(setup.done().iter().filter(|effect| matches!(effect, Effect::Annotation { .. })).count(), 0);
}

#[tokio::test]
async fn a_request_for_a_correction_is_taken_back_and_its_message_stays() {
    let setup = setup(Platform::DemarcheNumerique).await;
    let ask = Mutation::EnvoyerMessage {
        body: "Il manque une pièce".to_owned(),
        attachment: None,
        correction: Some(CorrectionReason::Incomplete),
    };
    // Under examination nothing is awaited, so this asks for the one correction that there is.
    setup.apply(&Mutation::PasserEnInstruction).await.expect("from en_construction");
    let message = setup.apply(&ask).await.expect("it is sent").message.expect("a mark").id;
    assert!(setup.read().await.date_derniere_correction_en_attente.is_some());
    let cancel = Mutation::AnnulerDemandeCorrection { message };
    let lacks = setup.apply(&cancel).await.expect_err("it is newer");
    assert!(matches!(lacks, MutationError::NotAvailable { .. }), "{lacks}");
    setup.sandbox.world().newer = true;
    setup.apply(&cancel).await.expect("it is done");
    let dossier = setup.read().await;
    assert_eq!(dossier.date_derniere_correction_en_attente, None);
    assert!(dossier.messages.iter().any(|message| message.body.contains("Il manque une pièce")));
    let again = setup.apply(&cancel).await.expect_err("none is awaited");
    assert!(matches!(again, MutationError::Refused { .. }), "{again}");
}
