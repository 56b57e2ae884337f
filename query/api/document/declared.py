"""Schemas of members as resources declare them."""

from query.api.document.schema import Schema, flag, one_of, text, whole
from query.api.resources.members import Member, MemberType


def schema_of(member: Member) -> Schema:
    """What a member may be in a body."""
    if member.type is MemberType.WHOLE:
        return whole(member.at_least, member.at_most, member.about)
    if member.type is MemberType.FLAG:
        return flag(member.about)
    if member.allowed:
        return one_of(*member.allowed, about=member.about)
    found = text(least=int(member.required), most=member.at_most, about=member.about)
    if member.pattern and member.required:
        found["pattern"] = f"^{member.pattern}$"
    return found
