"""Answer what a correction of an arrest record changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.arrests.v1.differences_pb2 import ListArrestDifferencesRequest, ListArrestDifferencesResponse

from renkei_chassis.rpc.methods import Call, ReadMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.records.comparing import Comparing
    from renkei_chassis.rpc.methods import Method


class Differences:
    """The method that compares versions."""

    def __init__(self, comparing: Comparing) -> None:
        """Take what compares arrest records."""
        self._comparing = comparing

    def methods(self) -> Mapping[str, Method]:
        """Give the method of ArrestsService."""
        return {"ListArrestDifferences": ReadMethod(answer=self._list)}

    async def _list(self, request: ListArrestDifferencesRequest, call: Call) -> ListArrestDifferencesResponse:
        del call
        compared = await self._comparing.page("ListArrestDifferences", request)
        answer = ListArrestDifferencesResponse(
            differences=compared.differences, next_page_token=compared.next_page_token, to=compared.later
        )
        getattr(answer, "from").CopyFrom(compared.earlier)  # a word of Python
        return answer
