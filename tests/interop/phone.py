"""One call of a pjsua2 phone, as the JSON in the first argument says; prints what it saw as JSON.

A process for each call: the library is happiest when its process ends with it."""
import json
import os
import signal
import sys
import time

import pjsua2 as pj

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # the library writes to standard output, too
CODECS = {"PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "G722": "G722/16000/1"}
KIND = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}


class Call(pj.Call):
    def __init__(self, account, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(account, call_id)
        self.account = account
        self.up = self.over = None
        self.media = self.recorder = None
        calls.append(self)
        self.players = []
        self.seen = {"status": 0, "early": [], "refer": [], "by": "peer"}

    def onCallState(self, _):
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            self.seen["early"].append(info.lastStatusCode)
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self.up = self.up or time.monotonic()
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.over = True
            self.seen.update(status=info.lastStatusCode, reason=info.lastReason, call_id=info.callIdString)

    def onCallMediaState(self, _):
        info = self.getInfo()
        for media in info.media:
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.status != pj.PJSUA_CALL_MEDIA_ACTIVE:
                continue
            self.media = self.getAudioMedia(media.index)
            if self.recorder is None and plan.get("record"):
                self.recorder = pj.AudioMediaRecorder()
                # A call that takes the place of another has a recording of its own: record.wav, record.2.wav.
                nth = calls.index(self) + 1
                self.seen["record"] = plan["record"] if nth == 1 else plan["record"].replace(".wav", f".{nth}.wav")
                self.recorder.createRecorder(self.seen["record"])
            if self.recorder:
                self.media.startTransmit(self.recorder)
            for player in self.players:
                player.startTransmit(self.media)
            stream = self.getStreamInfo(media.index)
            self.seen["codec"] = stream.codecName
            self.stream = media.index

    def count(self):
        """Packets so far, as the phone counts them."""
        rtcp = self.getStreamStat(self.stream).rtcp
        self.seen["rtp"] = {"received": rtcp.rxStat.pkt, "lost": rtcp.rxStat.loss, "late": rtcp.rxStat.discard,
                            "sent": rtcp.txStat.pkt, "lost_of_sent": rtcp.txStat.loss}

    def onCallTransferRequest(self, p):
        """The peer sends us to somebody else (REFER): we go, unless told not to."""
        self.seen["referred_to"] = p.dstUri
        p.statusCode = plan.get("refer_answer", 202)
        if p.statusCode < 300:
            p.newCall = Call(self.account)

    def onCallReplaced(self, p):
        """Somebody else takes the peer's place (INVITE with Replaces)."""
        self.seen["replaced"] = True
        p.newCall = Call(self.account, p.newCallId)

    def onCallTransferStatus(self, p):
        self.seen["refer"].append(p.statusCode)
        p.cont = not p.finalNotify

    def do(self, what, *args):
        if what == "play":
            # The library has a few places for players only.
            self.players.clear()
            player = pj.AudioMediaPlayer()
            player.createPlayer(args[0], pj.PJMEDIA_FILE_NO_LOOP)
            self.players.append(player)
            if self.media:
                player.startTransmit(self.media)
        elif what in ("keys", "info"):
            p = pj.CallSendDtmfParam()
            p.digits, p.duration = args[0], 160
            info, rfc = pj.PJSUA_DTMF_METHOD_SIP_INFO, pj.PJSUA_DTMF_METHOD_RFC2833
            p.method = info if what == "info" else rfc
            self.sendDtmf(p)
        elif what == "hold":
            self.setHold(pj.CallOpParam())
        elif what == "resume":
            p = pj.CallOpParam(True)
            p.opt.flag = pj.PJSUA_CALL_UNHOLD
            self.reinvite(p)
        elif what == "refer":
            self.xfer(args[0], pj.CallOpParam())
        elif what == "bye":
            self.seen["by"] = "phone"
            if self.up:
                self.count()
            self.hangup(pj.CallOpParam())


class Account(pj.Account):
    def onRegState(self, p):
        self.registered = p.code

    def onIncomingCall(self, p):
        Call(self, p.callId)
        self.incoming = time.monotonic()


def start():
    end = pj.Endpoint()
    end.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.logConfig.consoleLevel, config.logConfig.level, config.logConfig.msgLogging = 0, 5, 1
    config.logConfig.filename = plan["log"]
    rate = 16000 if plan.get("codec") == "G722" else 8000
    config.medConfig.clockRate = config.medConfig.sndClockRate = rate
    config.medConfig.ecTailLen, config.medConfig.noVad = 0, True
    end.libInit(config)
    transport = pj.TransportConfig()
    transport.port, transport.boundAddress, transport.publicAddress = plan.get("port", 0), "127.0.0.1", "127.0.0.1"
    if plan.get("ca"):
        transport.tlsConfig.CaListFile, transport.tlsConfig.verifyServer = plan["ca"], True
    kind = plan.get("transport", "udp")
    transport_id = end.transportCreate(KIND[kind], transport)
    end.libStart()
    end.audDevManager().setNullDev()
    for codec in end.codecEnum2():
        end.codecSetPriority(codec.codecId, 0)
    end.codecSetPriority(CODECS[plan.get("codec", "PCMU")], 200)
    account = pj.AccountConfig()
    port = end.transportGetInfo(transport_id).localName.rsplit(":", 1)[1].split("/")[0]
    suffix = "" if kind == "udp" else ";transport=" + kind
    account.idUri = plan.get("id", f"sip:phone@127.0.0.1:{port}{suffix}")
    account.sipConfig.transportId = transport_id
    account.natConfig.contactRewriteUse = 0
    account.mediaConfig.srtpUse = {"off": 0, "optional": 1, "mandatory": 2}[plan.get("srtp", "off")]
    account.mediaConfig.srtpSecureSignaling = 0
    if plan.get("timer") == "off":
        account.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
    elif plan.get("timer"):
        account.callConfig.timerUse = pj.PJSUA_SIP_TIMER_ALWAYS
        account.callConfig.timerSessExpiresSec = account.callConfig.timerMinSESec = plan["timer"]
    if plan.get("password"):
        account.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", plan["user"], 0, plan["password"]))
    if plan.get("registrar"):
        account.regConfig.registrarUri, account.regConfig.timeoutSec = plan["registrar"], 120
    if plan.get("proxy"):
        account.sipConfig.proxies.append(plan["proxy"])
    return end, account


def main():
    end, config = start()
    account = Account()
    account.registered, account.incoming = None, None
    account.create(config)
    started = time.monotonic()
    wait = lambda seconds: (end.libHandleEvents(10), time.monotonic() - started < seconds)[1]
    patience = plan.get("patience", 30)
    if plan.get("registrar"):
        while account.registered is None and wait(5):
            pass
    if plan.get("uri"):
        call = Call(account)
        param = pj.CallOpParam(True)
        param.opt.audioCount, param.opt.videoCount = 1, 0
        call.makeCall(plan["uri"], param)
    else:
        print(json.dumps({"ready": True, "registered": account.registered}), file=OUT, flush=True)
        while not calls and wait(patience):
            pass
    steps = sorted(plan.get("steps", []), key=lambda step: step[0])
    answers = [(at, code) for at, code in plan.get("answers", [])]
    while any(not call.over for call in calls) and wait(patience + plan.get("limit", 120)):
        now, first = time.monotonic(), calls[0]
        while account.incoming and answers and now - account.incoming >= answers[0][0]:
            param = pj.CallOpParam()
            param.statusCode = answers.pop(0)[1]
            first.answer(param)
        while first.up and steps and now - first.up >= steps[0][0]:
            try:
                # A call that took the place of the first goes on with its steps.
                [call for call in calls if not call.over][-1].do(*steps.pop(0)[1:])
            except pj.Error as error:
                first.seen.setdefault("errors", []).append(error.reason)
        if not first.up and first.over is None and plan.get("uri") and now - started > patience:
            first.do("bye")
    seen = calls[0].seen if calls else {"status": 0, "reason": "no call came"}
    seen["registered"], seen["then"] = account.registered, [call.seen for call in calls[1:]]
    for call in calls:
        if call.up:
            call.seen["talked_s"] = round(time.monotonic() - call.up, 1)
        call.recorder = None
        call.players.clear()
    for _ in range(20):
        end.libHandleEvents(10)
    print(json.dumps(seen), file=OUT, flush=True)
    os._exit(0)  # the library's own way out of Python is not a safe one


plan = json.loads(sys.argv[1])
calls = []
signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
main()
