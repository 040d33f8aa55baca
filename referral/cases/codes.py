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

_OTHER = {"other": "Unspecified or other"}

#: Group slug: (its name, {reason slug: its name}).
GROUPS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "violence": (
            "Violence",
            {
                "cyberbullying": "Cyberbullying",
                "bullying": "Bullying",
                "online_sexual_abuse": "Online child sexual abuse and exploitation",
                "sexual_violence": "Sexual violence",
                "physical_violence": "Physical violence",
                "emotional_violence": "Psychological or emotional violence",
                "neglect": "Neglect",
                "child_marriage": "Child, early or forced marriage",
                "child_labour": "Child labour",
                "female_genital_mutilation": "Female genital mutilation",
                "harmful_practices": "Other harmful traditional practices",
            }
            | _OTHER,
        ),
        "mental_health": (
            "Mental health",
            {
                "suicide": "Suicidal thoughts and suicide attempts",
                "self_harm": "Self-harming behaviour",
                "fear_and_anxiety": "Emotional distress: fear and anxiety",
                "mood": "Emotional distress: mood",
                "anger": "Emotional distress: anger",
                "self_concern": "Concerns about the self",
                "trauma": "Traumatic distress",
                "eating": "Problems with eating behaviour",
                "behaviour": "Behavioural problems",
                "substances": "Addictive behaviours and substance use",
                "neurodevelopment": "Neurodevelopmental concerns",
            }
            | _OTHER,
        ),
        "peer_relationships": (
            "Peer relationships",
            {
                "classmates": "Classmates or colleagues",
                "friends": "Friends and friendships",
                "partner": "Partner",
            }
            | _OTHER,
        ),
        "family_relationships": (
            "Family relationships",
            {
                "caregiver": "Relationship to caregiver",
                "siblings": "Relationship with siblings",
                "family_health": "Family health and wellbeing",
                "placement": "Adoption, fostering and extended family placement",
                "general": "General family issues",
            }
            | _OTHER,
        ),
        "education": (
            "Education and occupation",
            {
                "teacher": "Teacher and school problems",
                "academic": "Academic issues",
                "work": "Problems at work",
            }
            | _OTHER,
        ),
        "missing": (
            "Missing children",
            {"abduction": "Child abduction", "lost": "Lost or otherwise missing child", "runaway": "Runaway"}
            | _OTHER,
        ),
        "physical_health": (
            "Physical health",
            {
                "general": "General medical concerns",
                "covid_19": "COVID-19",
                "hiv": "Information about HIV/AIDS",
                "nutrition": "Nutrition",
                "pregnancy": "Pregnancy and maternal care",
                "reproductive": "Sexual and reproductive health",
            }
            | _OTHER,
        ),
        "access": (
            "Access to services",
            {
                "education": "Education",
                "essential_needs": "Essential needs",
                "healthcare": "General healthcare services",
                "legal": "Legal services and advice",
                "mental_health": "Mental health services",
                "sexual_health": "Sexual health services",
                "socio_economic": "Socio-economical services",
            }
            | _OTHER,
        ),
        "discrimination": (
            "Discrimination and exclusion",
            {
                "ethnicity": "Ethnicity or nationality",
                "finances": "Financial situation",
                "gender": "Gender",
                "identity": "Gender identity or expression and sexual orientation",
                "health": "Health",
                "beliefs": "Philosophical or religious beliefs",
            }
            | _OTHER,
        ),
        "sexuality": (
            "Sexuality",
            {
                "behaviours": "Sexual behaviours",
                "orientation": "Sexual orientation and gender identity",
            }
            | _OTHER,
        ),
        "non_counselling": (
            "Non-counselling contacts",
            {
                "about_helpline": "Questions about the child helpline",
                "other_services": "Questions about other services",
                "parents": "Questions by parents",
                "thanks": "Thank you for your assistance",
                "complaint": "Complaints about the child helpline",
                "silent": "Silent or abandoned",
                "abusive": "Abusive or prank",
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
        "harassment": "Insults and harassment",
        "threats": "Threats",
        "exclusion": "Exclusion from a group",
        "rumours": "Rumours and lies",
        "hate_speech": "Hate speech and discrimination",
        "impersonation": "Fake profile or impersonation",
        "account_hacked": "Account taken over",
        "doxxing": "Private data or messages published",
        "images_shared": "Pictures or videos shared (not intimate)",
        "stalking": "Stalking",
        "intimate_images": "Intimate pictures shared without consent",
        "manipulated_images": "Manipulated or made-up pictures (deepfake)",
        "blackmail": "Blackmail and sexual extortion",
        "grooming": "Grooming",
        "sexual_harassment": "Unwanted sexual messages or pictures",
        "livestream": "Sexual acts before a camera",
        "harmful_content": "Harmful content seen",
        "fraud": "Fraud for money",
        "overuse": "Too much time online",
        "other": "Something else online",
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
