"""Answer what a correction of a tip changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.tips.v1.differences_pb2 import ListTipDifferencesRequest, ListTipDifferencesResponse

from renkei_chassis.rpc.methods import Call, ReadMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.records.comparing import Comparing
    from renkei_chassis.rpc.methods import Method


class Differences:
    """The method that compares versions."""

    def __init__(self, comparing: Comparing) -> None:
        """Take what compares tips."""
        self._comparing = comparing

    def methods(self) -> Mapping[str, Method]:
        """Give the method of TipsService."""
        return {"ListTipDifferences": ReadMethod(answer=self._list)}

    async def _list(self, request: ListTipDifferencesRequest, call: Call) -> ListTipDifferencesResponse:
        del call
        compared = await self._comparing.page("ListTipDifferences", request)
        answer = ListTipDifferencesResponse(
            differences=compared.differences, next_page_token=compared.next_page_token, to=compared.later
        )
        getattr(answer, "from").CopyFrom(compared.earlier)  # a word of Python
        return answer
