"""Which reason codes a case can be closed with, and what they are called in either edition of the framework.

The groups and reasons of the Child Helpline International data framework in its newer form, as far as public
form definitions of its members show it; our own stable slugs, so that a code of either edition follows from
what was stored. Below the reason stands a third level of our own for what happens online, since the framework
cannot tell grooming from blackmail.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from referral.language import marked

_OTHER = {"other": marked("Unspecified or other")}

#: Group slug: (its name, {reason slug: its name}).
GROUPS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "violence": (
            marked("Violence"),
            {
                "cyberbullying": marked("Cyberbullying"),
                "bullying": marked("Bullying"),
                "online_sexual_abuse": marked("Online child sexual abuse and exploitation"),
                "sexual_violence": marked("Sexual violence"),
                "physical_violence": marked("Physical violence"),
                "emotional_violence": marked("Psychological or emotional violence"),
                "neglect": marked("Neglect"),
                "child_marriage": marked("Child, early or forced marriage"),
                "child_labour": marked("Child labour"),
                "female_genital_mutilation": marked("Female genital mutilation"),
                "harmful_practices": marked("Other harmful traditional practices"),
            }
            | _OTHER,
        ),
        "mental_health": (
            marked("Mental health"),
            {
                "suicide": marked("Suicidal thoughts and suicide attempts"),
                "self_harm": marked("Self-harming behaviour"),
                "fear_and_anxiety": marked("Emotional distress: fear and anxiety"),
                "mood": marked("Emotional distress: mood"),
                "anger": marked("Emotional distress: anger"),
                "self_concern": marked("Concerns about the self"),
                "trauma": marked("Traumatic distress"),
                "eating": marked("Problems with eating behaviour"),
                "behaviour": marked("Behavioural problems"),
                "substances": marked("Addictive behaviours and substance use"),
                "neurodevelopment": marked("Neurodevelopmental concerns"),
            }
            | _OTHER,
        ),
        "peer_relationships": (
            marked("Peer relationships"),
            {
                "classmates": marked("Classmates or colleagues"),
                "friends": marked("Friends and friendships"),
                "partner": marked("Partner"),
            }
            | _OTHER,
        ),
        "family_relationships": (
            marked("Family relationships"),
            {
                "caregiver": marked("Relationship to caregiver"),
                "siblings": marked("Relationship with siblings"),
                "family_health": marked("Family health and wellbeing"),
                "placement": marked("Adoption, fostering and extended family placement"),
                "general": marked("General family issues"),
            }
            | _OTHER,
        ),
        "education": (
            marked("Education and occupation"),
            {
                "teacher": marked("Teacher and school problems"),
                "academic": marked("Academic issues"),
                "work": marked("Problems at work"),
            }
            | _OTHER,
        ),
        "missing": (
            marked("Missing children"),
            {
                "abduction": marked("Child abduction"),
                "lost": marked("Lost or otherwise missing child"),
                "runaway": marked("Runaway"),
            }
            | _OTHER,
        ),
        "physical_health": (
            marked("Physical health"),
            {
                "general": marked("General medical concerns"),
                "covid_19": marked("COVID-19"),
                "hiv": marked("Information about HIV/AIDS"),
                "nutrition": marked("Nutrition"),
                "pregnancy": marked("Pregnancy and maternal care"),
                "reproductive": marked("Sexual and reproductive health"),
            }
            | _OTHER,
        ),
        "access": (
            marked("Access to services"),
            {
                "education": marked("Education"),
                "essential_needs": marked("Essential needs"),
                "healthcare": marked("General healthcare services"),
                "legal": marked("Legal services and advice"),
                "mental_health": marked("Mental health services"),
                "sexual_health": marked("Sexual health services"),
                "socio_economic": marked("Socio-economical services"),
            }
            | _OTHER,
        ),
        "discrimination": (
            marked("Discrimination and exclusion"),
            {
                "ethnicity": marked("Ethnicity or nationality"),
                "finances": marked("Financial situation"),
                "gender": marked("Gender"),
                "identity": marked("Gender identity or expression and sexual orientation"),
                "health": marked("Health"),
                "beliefs": marked("Philosophical or religious beliefs"),
            }
            | _OTHER,
        ),
        "sexuality": (
            marked("Sexuality"),
            {
                "behaviours": marked("Sexual behaviours"),
                "orientation": marked("Sexual orientation and gender identity"),
            }
            | _OTHER,
        ),
        "non_counselling": (
            marked("Non-counselling contacts"),
            {
                "about_helpline": marked("Questions about the child helpline"),
                "other_services": marked("Questions about other services"),
                "parents": marked("Questions by parents"),
                "thanks": marked("Thank you for your assistance"),
                "complaint": marked("Complaints about the child helpline"),
                "silent": marked("Silent or abandoned"),
                "abusive": marked("Abusive or prank"),
            }
            | _OTHER,
        ),
    }
)

#: Every code as it is stored, ``group.reason``.
CODES = frozenset(f"{group}.{reason}" for group, (_, reasons) in GROUPS.items() for reason in reasons)

#: Codes that say by themselves that it happened online.
ONLINE_SEXUAL_ABUSE = "violence.online_sexual_abuse"
ONLINE_CODES = frozenset({"violence.cyberbullying", ONLINE_SEXUAL_ABUSE})

#: The third level: {slug: its name}. What helplines of the network tell apart where the framework does not.
ONLINE_HARMS: Mapping[str, str] = MappingProxyType(
    {
        "harassment": marked("Insults and harassment"),
        "threats": marked("Threats"),
        "exclusion": marked("Exclusion from a group"),
        "rumours": marked("Rumours and lies"),
        "hate_speech": marked("Hate speech and discrimination"),
        "impersonation": marked("Fake profile or impersonation"),
        "account_hacked": marked("Account taken over"),
        "doxxing": marked("Private data or messages published"),
        "images_shared": marked("Pictures or videos shared (not intimate)"),
        "stalking": marked("Stalking"),
        "intimate_images": marked("Intimate pictures shared without consent"),
        "manipulated_images": marked("Manipulated or made-up pictures (deepfake)"),
        "blackmail": marked("Blackmail and sexual extortion"),
        "grooming": marked("Grooming"),
        "sexual_harassment": marked("Unwanted sexual messages or pictures"),
        "livestream": marked("Sexual acts before a camera"),
        "harmful_content": marked("Harmful content seen"),
        "fraud": marked("Fraud for money"),
        "overuse": marked("Too much time online"),
        "other": marked("Something else online"),
    }
)


class ContactKind(StrEnum):
    """What a contact counts as: the yearly report keeps those about a child apart from all others."""

    COUNSELLING = "counselling"
    # Somebody asked something that needed no counselling.
    INFORMATION = "information"
    # Nothing about a child can be learnt from it.
    NON_DATA = "non_data"


#: The group of contacts that are about no child of their own.
NON_COUNSELLING = "non_counselling"
_NON_DATA = frozenset(f"{NON_COUNSELLING}.{reason}" for reason in ("silent", "abusive", "thanks"))


def contact_kind(code: str, *, counselled: bool | None) -> ContactKind:
    """What a contact counts as; one coded before ``counselled`` was asked for counts by its code alone."""
    if code in _NON_DATA:
        return ContactKind.NON_DATA
    if group_of(code) == NON_COUNSELLING or counselled is False:
        return ContactKind.INFORMATION
    return ContactKind.COUNSELLING


def codes_of(group: str) -> tuple[str, ...]:
    """The codes of a group, in the order of the form."""
    return tuple(f"{group}.{reason}" for reason in GROUPS[group][1])


def group_of(code: str) -> str:
    """The first level of a code."""
    return code.partition(".")[0]


class Edition(StrEnum):
    """The two editions of the framework; the years are ours, read from where each is in use."""

    CHI_V2020 = "chi_v2020"
    CHI_V2022 = "chi_v2022"


#: What the older edition calls differently.
_OLDER_GROUPS = {"access": "Accessibility"}
_OLDER_REASONS = {
    # It has no code of its own for bullying online.
    "violence.cyberbullying": "Bullying",
    "violence.emotional_violence": "Mental or emotional violence",
    "violence.harmful_practices": "Harmful traditional practices other than child marriage and FGM",
}
#: Where it splits online sexual abuse: these are done for gain.
EXPLOITATION = "Online sexual exploitation"
_EXPLOITING = frozenset({"blackmail", "livestream"})


def names(code: str, *, edition: Edition, online_harm: str | None = None) -> tuple[str, str]:
    """What group and reason of a stored code are called in an edition."""
    slug, _, reason = code.partition(".")
    group, reasons = GROUPS[slug]
    if edition is Edition.CHI_V2022:
        return group, reasons[reason]
    if code == ONLINE_SEXUAL_ABUSE:
        return group, EXPLOITATION if online_harm in _EXPLOITING else "Online sexual abuse"
    return _OLDER_GROUPS.get(slug, group), _OLDER_REASONS.get(code, reasons[reason])
