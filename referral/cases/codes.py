"""Which reason codes a case can be closed with.

The groups and reasons of the Child Helpline International data framework in its newer form, as far as public
form definitions of its members show it; our own stable slugs, so that either edition can be mapped to later.
"""

from __future__ import annotations

from collections.abc import Mapping
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
