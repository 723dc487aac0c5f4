"""Addresses of the desk that know of no order: below `/desk/`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from stores import desk_asking, desk_board, desk_boxes, desk_counter, desk_sign_in, desk_stocktake, desk_transfers


class OutletCodeConverter(StringConverter):
    """A well-formed code of an outlet, so that no word of an address can be taken for one."""

    regex = "[0-9]{9}-[0-9]{2}"


register_converter(OutletCodeConverter, "outlet_code")

app_name = "desk"
urlpatterns = [
    path("sign-in/", desk_sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", desk_sign_in.code, name="code"),
    path("sign-out/", desk_sign_in.sign_out, name="sign_out"),
    path("password/", desk_sign_in.password, name="password"),
    path("<outlet_code:outlet_code>/stocktake/", desk_stocktake.stocktake, name="stocktake"),
    path("<outlet_code:outlet_code>/stocktake/differences/", desk_stocktake.differences, name="stocktake_differences"),
    path("<outlet_code:outlet_code>/stocktake/drop/", desk_stocktake.drop_stocktake, name="drop_stocktake"),
    path("second-step/", desk_sign_in.second_step_page, name="second_step"),
    path("<outlet_code:outlet_code>/stock/", desk_board.board, name="board"),
    path("<outlet_code:outlet_code>/stock/<slug:slug>/", desk_board.ledger, name="phone"),
    path("<outlet_code:outlet_code>/stock/<slug:slug>/nearby/", desk_asking.nearby, name="nearby"),
    path("<outlet_code:outlet_code>/write-off/", desk_counter.write_off, name="write_off"),
    path("<outlet_code:outlet_code>/adjust/", desk_counter.adjust, name="adjust"),
    path("<outlet_code:outlet_code>/receive/", desk_boxes.receive, name="receive"),
    path("<outlet_code:outlet_code>/boxes/<int:box_id>/", desk_boxes.box, name="box"),
    path("<outlet_code:outlet_code>/boxes/<int:box_id>/change/", desk_boxes.change, name="change_box"),
    path("<outlet_code:outlet_code>/boxes/<int:box_id>/book/", desk_boxes.book, name="book_box"),
    path("<outlet_code:outlet_code>/transfers/", desk_transfers.transfers_page, name="transfers"),
    path("<outlet_code:outlet_code>/transfers/ask/", desk_asking.ask_whom, name="ask_whom"),
    path("<outlet_code:outlet_code>/transfers/ask/<outlet_code:sender_code>/", desk_asking.ask, name="ask"),
    path("<outlet_code:outlet_code>/transfers/<int:transfer_id>/", desk_transfers.transfer, name="transfer"),
    path(
        "<outlet_code:outlet_code>/transfers/<int:transfer_id>/approve/",
        desk_transfers.approve,
        name="approve_transfer",
    ),
    path("<outlet_code:outlet_code>/transfers/<int:transfer_id>/send/", desk_transfers.pack, name="pack"),
    path("<outlet_code:outlet_code>/transfers/<int:transfer_id>/receive/", desk_transfers.unpack, name="unpack"),
    path(
        "<outlet_code:outlet_code>/transfers/<int:transfer_id>/cancel/",
        desk_transfers.cancel,
        name="cancel_transfer",
    ),
]
