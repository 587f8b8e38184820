"""The texts of notes: neutral sentences about nobody in particular."""

from random import Random

from ingest.synthetic.files import quote_cell
from ingest.synthetic.names import pick

ARRIVALS = (
    "Client arrived on time and settled quickly.",
    "Client came a few minutes late, having missed the bus.",
    "Client joined from home; the connection held throughout.",
    "Client seemed rested and in good spirits.",
    "Client was quiet at first, then spoke freely.",
    "Client brought the week's notes, as agreed.",
    "Client reported a calmer week than the last one.",
    "Client described the week as “up and down”.",
    'Client said: "It went better than I thought."',
    "Client spoke about the move, the new job, and sleep.",
    "Client had practised twice since we met.",
    "Client had not found the time to practise.",
)
INTERVENTIONS = (
    "We went through the plan for the week and what stood in its way.",
    "We practised paced breathing and wrote down when to use it.",
    "We looked at one difficult conversation, step by step.",
    "We sorted worries into those with an answer, and those without.",
    "We drew up a small schedule: one walk, one call, one evening off.",
    "We reviewed the list of early signs and added two.",
    "We talked about boundaries at work and rehearsed one sentence.",
    "We compared this month's scores with the first ones.",
    "We named three people who could be asked for help.",
    "We tried the exercise with the two chairs; it was tiring but useful.",
    "We spoke about sleep, screens and the hour before bed.",
    "We went over what helped during the last setback.",
)
OBSERVATIONS = (
    "Mood steady, attention good, no concerns about safety.",
    "Mood low but brighter towards the end; no concerns about safety.",
    "Some tension at the start, less at the end.",
    "Engaged throughout and asked good questions.",
    "Progress toward the first goal is slow but visible.",
    "Progress toward both goals since the last review.",
    "Little change since the last session.",
    "Sleep has improved; appetite has not.",
    "Insight good, energy fair.",
    "Coping skills are used more often, and earlier.",
)
NEXT_STEPS = (
    "Next session as booked.",
    "Keep the log, bring it next time.",
    "Practise once a day, five minutes are enough.",
    "Review the plan in four weeks.",
    "Call the practice if things get harder before then.",
    "No change to the plan.",
    "Try the walk on Tuesday and Thursday.",
    "Write one line every evening: what went well?",
)
CRISES = (
    "Session turned to the events of the last two days.",
    "Client called in distress before the session and was seen as planned.",
    "Plan for the coming hours was made together and repeated aloud.",
)
TREATMENT_PLANS = (
    "Goal 1: sleep through five nights of seven. Goal 2: one thing with others every week. Review in 90 days.",
    "Goal: return to full hours, in steps; measure by the weekly scale. Review in 90 days.",
    "Goals kept, second goal made smaller. Methods unchanged. Review in 90 days.",
)
SAFETY_PLANS = (
    "Early signs, three things to do alone, two people to call, and the numbers of the practice and the hotline.",
    "Plan reviewed with the client, copy given; the items that were agreed to be out of reach are out of reach.",
)
DISCHARGE_SUMMARIES = (
    "Goals reached, good-bye session held; client knows how to come back.",
    "Client moves away; summary given, names of colleagues there offered.",
)


def write_session_note(rng: Random, is_soap: bool, is_crisis: bool) -> str:
    """Return the text of a session's note as a CSV cell."""
    opening = pick(rng, CRISES) if is_crisis else pick(rng, ARRIVALS)
    scale = f"Weekly scale {int(rng.random() * 27)}, last time {int(rng.random() * 27)}."
    if is_soap:
        return quote_cell(
            f"S: {opening}\nO: {scale} {pick(rng, OBSERVATIONS)}\nA: {pick(rng, OBSERVATIONS)}\n"
            f"P: {pick(rng, NEXT_STEPS)}"
        )
    return quote_cell(f"{opening} {pick(rng, INTERVENTIONS)} {scale} {pick(rng, OBSERVATIONS)} {pick(rng, NEXT_STEPS)}")
