"""Support tickets of six unequal classes, with no film in them, as strangers bring."""

import numpy as np
import pandas as pd

WORDS = {
    "billing": "invoice charged twice receipt amount euros card statement tax total",
    "delivery": "parcel courier late address doorstep tracking shipped box carrier lost",
    "login": "password reset locked account code email verify username expired denied",
    "refund": "money back return cancel order credit reimburse unused wrong size",
    "bug": "crash screen freezes error button update version blank loading broken",
    "praise": "thanks helpful quick friendly lovely colleague solved kind patient happy",
}
PLAIN = (
    "hello I we you the a my our it this that since when after before today again still"
    " please tell know need want have had been would could about with without because"
    " yesterday morning week twice once somebody nobody always never maybe really just"
    " question answer customer number page service support team phone chat message"
).split()
CHINESE = {
    "账单": "发票 扣款 金额 收据 重复 税款 银行卡 账目",
    "物流": "包裹 快递 地址 延误 派送 丢失 签收 运单",
    "登录": "密码 账号 验证码 锁定 邮箱 重置 登不上 过期",
    "退款": "退钱 退货 取消 订单 尺码 未使用 返还 额度",
    "故障": "闪退 白屏 报错 按钮 更新 版本 卡住 加载",
    "表扬": "感谢 耐心 热情 解决 同事 很快 满意 周到",
}
PLAIN_CHINESE = (
    "你好 我们 今天 昨天 一直 还是 请问 需要 已经 可以 因为 但是 问题 客服 电话 页面 再次"
    " 上周 早上 有人 没有 什么 时候 帮忙 处理 回复 谢谢 之前 之后 可能"
).split()
SHARES = (0.3, 0.22, 0.18, 0.14, 0.1, 0.06)


def tickets(rows=600, chinese=False, classes=6, random_labels=False, seed=0):
    """Return a frame of ``text`` and ``label``.

    Each text mixes words of its class with words that say nothing; with
    `random_labels` the labels are drawn anew, so that there is nothing to learn.
    """
    rng = np.random.default_rng(seed)
    own, plain = (CHINESE, PLAIN_CHINESE) if chinese else (WORDS, PLAIN)
    names = list(own)[:classes]
    weights = np.array(SHARES[:classes]) / sum(SHARES[:classes])
    labels = rng.choice(names, rows, p=weights)
    texts = [
        ("" if chinese else " ").join(
            rng.choice(own[label].split() if rng.random() < 0.35 else plain)
            for _ in range(rng.integers(9, 26))
        )
        for label in labels
    ]
    if random_labels:
        labels = rng.choice(names, rows)
    return pd.DataFrame({"text": texts, "label": labels})
