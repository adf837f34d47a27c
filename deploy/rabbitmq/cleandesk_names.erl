%% Holds each authority to the names that it may vouch for: that of the boxes to `<site>/<box>`, every
%% other one to names without a slash. So the key of the enrolment service, if it is stolen, makes no
%% subscriber. TLS asks it last, when chain, time, use and revocation list are found to be right.
-module(cleandesk_names).
-export([check/3]).

-define(COMMON_NAME, {2, 5, 4, 3}).
-define(BOXES, "CN=cleandesk boxes").

check(_Certificate, {bad_cert, _} = Reason, _State) ->
    {fail, Reason};
check(_Certificate, {extension, _}, State) ->
    {unknown, State};
check(_Certificate, valid, State) ->
    {valid, State};
check(Certificate, valid_peer, State) ->
    Der = public_key:pkix_encode('OTPCertificate', Certificate, otp),
    FromBoxes = rabbit_cert_info:issuer(Der) =:= ?BOXES,
    case rabbit_cert_info:subject_items(Der, ?COMMON_NAME) of
        [Name] ->
            case has_slash(Name) =:= FromBoxes of
                true -> {valid, State};
                false -> {fail, {bad_cert, name_not_permitted}}
            end;
        _ ->
            {fail, {bad_cert, name_not_permitted}}
    end.

has_slash(Name) ->
    string:find(Name, "/") =/= nomatch.
