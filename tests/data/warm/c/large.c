#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int f0(int x) { return x * 0 + 1; }
static int f1(int x) { return x * 1 + 1; }
static int f2(int x) { return x * 2 + 1; }
static int f3(int x) { return x * 3 + 1; }
static int f4(int x) { return x * 4 + 1; }
static int f5(int x) { return x * 5 + 1; }
static int f6(int x) { return x * 6 + 1; }
static int f7(int x) { return x * 7 + 1; }
static int f8(int x) { return x * 8 + 1; }
static int f9(int x) { return x * 9 + 1; }
static int f10(int x) { return x * 10 + 1; }
static int f11(int x) { return x * 11 + 1; }
static int f12(int x) { return x * 12 + 1; }
static int f13(int x) { return x * 13 + 1; }
static int f14(int x) { return x * 14 + 1; }
static int f15(int x) { return x * 15 + 1; }
static int f16(int x) { return x * 16 + 1; }
static int f17(int x) { return x * 17 + 1; }
static int f18(int x) { return x * 18 + 1; }
static int f19(int x) { return x * 19 + 1; }
static int f20(int x) { return x * 20 + 1; }
static int f21(int x) { return x * 21 + 1; }
static int f22(int x) { return x * 22 + 1; }
static int f23(int x) { return x * 23 + 1; }
static int f24(int x) { return x * 24 + 1; }
static int f25(int x) { return x * 25 + 1; }
static int f26(int x) { return x * 26 + 1; }
static int f27(int x) { return x * 27 + 1; }
static int f28(int x) { return x * 28 + 1; }
static int f29(int x) { return x * 29 + 1; }
static int f30(int x) { return x * 30 + 1; }
static int f31(int x) { return x * 31 + 1; }
static int f32(int x) { return x * 32 + 1; }
static int f33(int x) { return x * 33 + 1; }
static int f34(int x) { return x * 34 + 1; }
static int f35(int x) { return x * 35 + 1; }
static int f36(int x) { return x * 36 + 1; }
static int f37(int x) { return x * 37 + 1; }
static int f38(int x) { return x * 38 + 1; }
static int f39(int x) { return x * 39 + 1; }
static int f40(int x) { return x * 40 + 1; }
static int f41(int x) { return x * 41 + 1; }
static int f42(int x) { return x * 42 + 1; }
static int f43(int x) { return x * 43 + 1; }
static int f44(int x) { return x * 44 + 1; }
static int f45(int x) { return x * 45 + 1; }
static int f46(int x) { return x * 46 + 1; }
static int f47(int x) { return x * 47 + 1; }
static int f48(int x) { return x * 48 + 1; }
static int f49(int x) { return x * 49 + 1; }
static int f50(int x) { return x * 50 + 1; }
static int f51(int x) { return x * 51 + 1; }
static int f52(int x) { return x * 52 + 1; }
static int f53(int x) { return x * 53 + 1; }
static int f54(int x) { return x * 54 + 1; }
static int f55(int x) { return x * 55 + 1; }
static int f56(int x) { return x * 56 + 1; }
static int f57(int x) { return x * 57 + 1; }
static int f58(int x) { return x * 58 + 1; }
static int f59(int x) { return x * 59 + 1; }
static int f60(int x) { return x * 60 + 1; }
static int f61(int x) { return x * 61 + 1; }
static int f62(int x) { return x * 62 + 1; }
static int f63(int x) { return x * 63 + 1; }
static int f64(int x) { return x * 64 + 1; }
static int f65(int x) { return x * 65 + 1; }
static int f66(int x) { return x * 66 + 1; }
static int f67(int x) { return x * 67 + 1; }
static int f68(int x) { return x * 68 + 1; }
static int f69(int x) { return x * 69 + 1; }
static int f70(int x) { return x * 70 + 1; }
static int f71(int x) { return x * 71 + 1; }
static int f72(int x) { return x * 72 + 1; }
static int f73(int x) { return x * 73 + 1; }
static int f74(int x) { return x * 74 + 1; }
static int f75(int x) { return x * 75 + 1; }
static int f76(int x) { return x * 76 + 1; }
static int f77(int x) { return x * 77 + 1; }
static int f78(int x) { return x * 78 + 1; }
static int f79(int x) { return x * 79 + 1; }
static int f80(int x) { return x * 80 + 1; }
static int f81(int x) { return x * 81 + 1; }
static int f82(int x) { return x * 82 + 1; }
static int f83(int x) { return x * 83 + 1; }
static int f84(int x) { return x * 84 + 1; }
static int f85(int x) { return x * 85 + 1; }
static int f86(int x) { return x * 86 + 1; }
static int f87(int x) { return x * 87 + 1; }
static int f88(int x) { return x * 88 + 1; }
static int f89(int x) { return x * 89 + 1; }
static int f90(int x) { return x * 90 + 1; }
static int f91(int x) { return x * 91 + 1; }
static int f92(int x) { return x * 92 + 1; }
static int f93(int x) { return x * 93 + 1; }
static int f94(int x) { return x * 94 + 1; }
static int f95(int x) { return x * 95 + 1; }
static int f96(int x) { return x * 96 + 1; }
static int f97(int x) { return x * 97 + 1; }
static int f98(int x) { return x * 98 + 1; }
static int f99(int x) { return x * 99 + 1; }
static int f100(int x) { return x * 100 + 1; }
static int f101(int x) { return x * 101 + 1; }
static int f102(int x) { return x * 102 + 1; }
static int f103(int x) { return x * 103 + 1; }
static int f104(int x) { return x * 104 + 1; }
static int f105(int x) { return x * 105 + 1; }
static int f106(int x) { return x * 106 + 1; }
static int f107(int x) { return x * 107 + 1; }
static int f108(int x) { return x * 108 + 1; }
static int f109(int x) { return x * 109 + 1; }
static int f110(int x) { return x * 110 + 1; }
static int f111(int x) { return x * 111 + 1; }
static int f112(int x) { return x * 112 + 1; }
static int f113(int x) { return x * 113 + 1; }
static int f114(int x) { return x * 114 + 1; }
static int f115(int x) { return x * 115 + 1; }
static int f116(int x) { return x * 116 + 1; }
static int f117(int x) { return x * 117 + 1; }
static int f118(int x) { return x * 118 + 1; }
static int f119(int x) { return x * 119 + 1; }
static int f120(int x) { return x * 120 + 1; }
static int f121(int x) { return x * 121 + 1; }
static int f122(int x) { return x * 122 + 1; }
static int f123(int x) { return x * 123 + 1; }
static int f124(int x) { return x * 124 + 1; }
static int f125(int x) { return x * 125 + 1; }
static int f126(int x) { return x * 126 + 1; }
static int f127(int x) { return x * 127 + 1; }
static int f128(int x) { return x * 128 + 1; }
static int f129(int x) { return x * 129 + 1; }
static int f130(int x) { return x * 130 + 1; }
static int f131(int x) { return x * 131 + 1; }
static int f132(int x) { return x * 132 + 1; }
static int f133(int x) { return x * 133 + 1; }
static int f134(int x) { return x * 134 + 1; }
static int f135(int x) { return x * 135 + 1; }
static int f136(int x) { return x * 136 + 1; }
static int f137(int x) { return x * 137 + 1; }
static int f138(int x) { return x * 138 + 1; }
static int f139(int x) { return x * 139 + 1; }
static int f140(int x) { return x * 140 + 1; }
static int f141(int x) { return x * 141 + 1; }
static int f142(int x) { return x * 142 + 1; }
static int f143(int x) { return x * 143 + 1; }
static int f144(int x) { return x * 144 + 1; }
static int f145(int x) { return x * 145 + 1; }
static int f146(int x) { return x * 146 + 1; }
static int f147(int x) { return x * 147 + 1; }
static int f148(int x) { return x * 148 + 1; }
static int f149(int x) { return x * 149 + 1; }
static int f150(int x) { return x * 150 + 1; }
static int f151(int x) { return x * 151 + 1; }
static int f152(int x) { return x * 152 + 1; }
static int f153(int x) { return x * 153 + 1; }
static int f154(int x) { return x * 154 + 1; }
static int f155(int x) { return x * 155 + 1; }
static int f156(int x) { return x * 156 + 1; }
static int f157(int x) { return x * 157 + 1; }
static int f158(int x) { return x * 158 + 1; }
static int f159(int x) { return x * 159 + 1; }
static int f160(int x) { return x * 160 + 1; }
static int f161(int x) { return x * 161 + 1; }
static int f162(int x) { return x * 162 + 1; }
static int f163(int x) { return x * 163 + 1; }
static int f164(int x) { return x * 164 + 1; }
static int f165(int x) { return x * 165 + 1; }
static int f166(int x) { return x * 166 + 1; }
static int f167(int x) { return x * 167 + 1; }
static int f168(int x) { return x * 168 + 1; }
static int f169(int x) { return x * 169 + 1; }
static int f170(int x) { return x * 170 + 1; }
static int f171(int x) { return x * 171 + 1; }
static int f172(int x) { return x * 172 + 1; }
static int f173(int x) { return x * 173 + 1; }
static int f174(int x) { return x * 174 + 1; }
static int f175(int x) { return x * 175 + 1; }
static int f176(int x) { return x * 176 + 1; }
static int f177(int x) { return x * 177 + 1; }
static int f178(int x) { return x * 178 + 1; }
static int f179(int x) { return x * 179 + 1; }
static int f180(int x) { return x * 180 + 1; }
static int f181(int x) { return x * 181 + 1; }
static int f182(int x) { return x * 182 + 1; }
static int f183(int x) { return x * 183 + 1; }
static int f184(int x) { return x * 184 + 1; }
static int f185(int x) { return x * 185 + 1; }
static int f186(int x) { return x * 186 + 1; }
static int f187(int x) { return x * 187 + 1; }
static int f188(int x) { return x * 188 + 1; }
static int f189(int x) { return x * 189 + 1; }
static int f190(int x) { return x * 190 + 1; }
static int f191(int x) { return x * 191 + 1; }
static int f192(int x) { return x * 192 + 1; }
static int f193(int x) { return x * 193 + 1; }
static int f194(int x) { return x * 194 + 1; }
static int f195(int x) { return x * 195 + 1; }
static int f196(int x) { return x * 196 + 1; }
static int f197(int x) { return x * 197 + 1; }
static int f198(int x) { return x * 198 + 1; }
static int f199(int x) { return x * 199 + 1; }
static int f200(int x) { return x * 200 + 1; }
static int f201(int x) { return x * 201 + 1; }
static int f202(int x) { return x * 202 + 1; }
static int f203(int x) { return x * 203 + 1; }
static int f204(int x) { return x * 204 + 1; }
static int f205(int x) { return x * 205 + 1; }
static int f206(int x) { return x * 206 + 1; }
static int f207(int x) { return x * 207 + 1; }
static int f208(int x) { return x * 208 + 1; }
static int f209(int x) { return x * 209 + 1; }
static int f210(int x) { return x * 210 + 1; }
static int f211(int x) { return x * 211 + 1; }
static int f212(int x) { return x * 212 + 1; }
static int f213(int x) { return x * 213 + 1; }
static int f214(int x) { return x * 214 + 1; }
static int f215(int x) { return x * 215 + 1; }
static int f216(int x) { return x * 216 + 1; }
static int f217(int x) { return x * 217 + 1; }
static int f218(int x) { return x * 218 + 1; }
static int f219(int x) { return x * 219 + 1; }
static int f220(int x) { return x * 220 + 1; }
static int f221(int x) { return x * 221 + 1; }
static int f222(int x) { return x * 222 + 1; }
static int f223(int x) { return x * 223 + 1; }
static int f224(int x) { return x * 224 + 1; }
static int f225(int x) { return x * 225 + 1; }
static int f226(int x) { return x * 226 + 1; }
static int f227(int x) { return x * 227 + 1; }
static int f228(int x) { return x * 228 + 1; }
static int f229(int x) { return x * 229 + 1; }
static int f230(int x) { return x * 230 + 1; }
static int f231(int x) { return x * 231 + 1; }
static int f232(int x) { return x * 232 + 1; }
static int f233(int x) { return x * 233 + 1; }
static int f234(int x) { return x * 234 + 1; }
static int f235(int x) { return x * 235 + 1; }
static int f236(int x) { return x * 236 + 1; }
static int f237(int x) { return x * 237 + 1; }
static int f238(int x) { return x * 238 + 1; }
static int f239(int x) { return x * 239 + 1; }
static int f240(int x) { return x * 240 + 1; }
static int f241(int x) { return x * 241 + 1; }
static int f242(int x) { return x * 242 + 1; }
static int f243(int x) { return x * 243 + 1; }
static int f244(int x) { return x * 244 + 1; }
static int f245(int x) { return x * 245 + 1; }
static int f246(int x) { return x * 246 + 1; }
static int f247(int x) { return x * 247 + 1; }
static int f248(int x) { return x * 248 + 1; }
static int f249(int x) { return x * 249 + 1; }
static int f250(int x) { return x * 250 + 1; }
static int f251(int x) { return x * 251 + 1; }
static int f252(int x) { return x * 252 + 1; }
static int f253(int x) { return x * 253 + 1; }
static int f254(int x) { return x * 254 + 1; }
static int f255(int x) { return x * 255 + 1; }
static int f256(int x) { return x * 256 + 1; }
static int f257(int x) { return x * 257 + 1; }
static int f258(int x) { return x * 258 + 1; }
static int f259(int x) { return x * 259 + 1; }
static int f260(int x) { return x * 260 + 1; }
static int f261(int x) { return x * 261 + 1; }
static int f262(int x) { return x * 262 + 1; }
static int f263(int x) { return x * 263 + 1; }
static int f264(int x) { return x * 264 + 1; }
static int f265(int x) { return x * 265 + 1; }
static int f266(int x) { return x * 266 + 1; }
static int f267(int x) { return x * 267 + 1; }
static int f268(int x) { return x * 268 + 1; }
static int f269(int x) { return x * 269 + 1; }
static int f270(int x) { return x * 270 + 1; }
static int f271(int x) { return x * 271 + 1; }
static int f272(int x) { return x * 272 + 1; }
static int f273(int x) { return x * 273 + 1; }
static int f274(int x) { return x * 274 + 1; }
static int f275(int x) { return x * 275 + 1; }
static int f276(int x) { return x * 276 + 1; }
static int f277(int x) { return x * 277 + 1; }
static int f278(int x) { return x * 278 + 1; }
static int f279(int x) { return x * 279 + 1; }
static int f280(int x) { return x * 280 + 1; }
static int f281(int x) { return x * 281 + 1; }
static int f282(int x) { return x * 282 + 1; }
static int f283(int x) { return x * 283 + 1; }
static int f284(int x) { return x * 284 + 1; }
static int f285(int x) { return x * 285 + 1; }
static int f286(int x) { return x * 286 + 1; }
static int f287(int x) { return x * 287 + 1; }
static int f288(int x) { return x * 288 + 1; }
static int f289(int x) { return x * 289 + 1; }
static int f290(int x) { return x * 290 + 1; }
static int f291(int x) { return x * 291 + 1; }
static int f292(int x) { return x * 292 + 1; }
static int f293(int x) { return x * 293 + 1; }
static int f294(int x) { return x * 294 + 1; }
static int f295(int x) { return x * 295 + 1; }
static int f296(int x) { return x * 296 + 1; }
static int f297(int x) { return x * 297 + 1; }
static int f298(int x) { return x * 298 + 1; }
static int f299(int x) { return x * 299 + 1; }
int main(void) { int s = 0;
s += f0(s & 7);
s += f1(s & 7);
s += f2(s & 7);
s += f3(s & 7);
s += f4(s & 7);
s += f5(s & 7);
s += f6(s & 7);
s += f7(s & 7);
s += f8(s & 7);
s += f9(s & 7);
s += f10(s & 7);
s += f11(s & 7);
s += f12(s & 7);
s += f13(s & 7);
s += f14(s & 7);
s += f15(s & 7);
s += f16(s & 7);
s += f17(s & 7);
s += f18(s & 7);
s += f19(s & 7);
s += f20(s & 7);
s += f21(s & 7);
s += f22(s & 7);
s += f23(s & 7);
s += f24(s & 7);
s += f25(s & 7);
s += f26(s & 7);
s += f27(s & 7);
s += f28(s & 7);
s += f29(s & 7);
s += f30(s & 7);
s += f31(s & 7);
s += f32(s & 7);
s += f33(s & 7);
s += f34(s & 7);
s += f35(s & 7);
s += f36(s & 7);
s += f37(s & 7);
s += f38(s & 7);
s += f39(s & 7);
s += f40(s & 7);
s += f41(s & 7);
s += f42(s & 7);
s += f43(s & 7);
s += f44(s & 7);
s += f45(s & 7);
s += f46(s & 7);
s += f47(s & 7);
s += f48(s & 7);
s += f49(s & 7);
s += f50(s & 7);
s += f51(s & 7);
s += f52(s & 7);
s += f53(s & 7);
s += f54(s & 7);
s += f55(s & 7);
s += f56(s & 7);
s += f57(s & 7);
s += f58(s & 7);
s += f59(s & 7);
s += f60(s & 7);
s += f61(s & 7);
s += f62(s & 7);
s += f63(s & 7);
s += f64(s & 7);
s += f65(s & 7);
s += f66(s & 7);
s += f67(s & 7);
s += f68(s & 7);
s += f69(s & 7);
s += f70(s & 7);
s += f71(s & 7);
s += f72(s & 7);
s += f73(s & 7);
s += f74(s & 7);
s += f75(s & 7);
s += f76(s & 7);
s += f77(s & 7);
s += f78(s & 7);
s += f79(s & 7);
s += f80(s & 7);
s += f81(s & 7);
s += f82(s & 7);
s += f83(s & 7);
s += f84(s & 7);
s += f85(s & 7);
s += f86(s & 7);
s += f87(s & 7);
s += f88(s & 7);
s += f89(s & 7);
s += f90(s & 7);
s += f91(s & 7);
s += f92(s & 7);
s += f93(s & 7);
s += f94(s & 7);
s += f95(s & 7);
s += f96(s & 7);
s += f97(s & 7);
s += f98(s & 7);
s += f99(s & 7);
s += f100(s & 7);
s += f101(s & 7);
s += f102(s & 7);
s += f103(s & 7);
s += f104(s & 7);
s += f105(s & 7);
s += f106(s & 7);
s += f107(s & 7);
s += f108(s & 7);
s += f109(s & 7);
s += f110(s & 7);
s += f111(s & 7);
s += f112(s & 7);
s += f113(s & 7);
s += f114(s & 7);
s += f115(s & 7);
s += f116(s & 7);
s += f117(s & 7);
s += f118(s & 7);
s += f119(s & 7);
s += f120(s & 7);
s += f121(s & 7);
s += f122(s & 7);
s += f123(s & 7);
s += f124(s & 7);
s += f125(s & 7);
s += f126(s & 7);
s += f127(s & 7);
s += f128(s & 7);
s += f129(s & 7);
s += f130(s & 7);
s += f131(s & 7);
s += f132(s & 7);
s += f133(s & 7);
s += f134(s & 7);
s += f135(s & 7);
s += f136(s & 7);
s += f137(s & 7);
s += f138(s & 7);
s += f139(s & 7);
s += f140(s & 7);
s += f141(s & 7);
s += f142(s & 7);
s += f143(s & 7);
s += f144(s & 7);
s += f145(s & 7);
s += f146(s & 7);
s += f147(s & 7);
s += f148(s & 7);
s += f149(s & 7);
s += f150(s & 7);
s += f151(s & 7);
s += f152(s & 7);
s += f153(s & 7);
s += f154(s & 7);
s += f155(s & 7);
s += f156(s & 7);
s += f157(s & 7);
s += f158(s & 7);
s += f159(s & 7);
s += f160(s & 7);
s += f161(s & 7);
s += f162(s & 7);
s += f163(s & 7);
s += f164(s & 7);
s += f165(s & 7);
s += f166(s & 7);
s += f167(s & 7);
s += f168(s & 7);
s += f169(s & 7);
s += f170(s & 7);
s += f171(s & 7);
s += f172(s & 7);
s += f173(s & 7);
s += f174(s & 7);
s += f175(s & 7);
s += f176(s & 7);
s += f177(s & 7);
s += f178(s & 7);
s += f179(s & 7);
s += f180(s & 7);
s += f181(s & 7);
s += f182(s & 7);
s += f183(s & 7);
s += f184(s & 7);
s += f185(s & 7);
s += f186(s & 7);
s += f187(s & 7);
s += f188(s & 7);
s += f189(s & 7);
s += f190(s & 7);
s += f191(s & 7);
s += f192(s & 7);
s += f193(s & 7);
s += f194(s & 7);
s += f195(s & 7);
s += f196(s & 7);
s += f197(s & 7);
s += f198(s & 7);
s += f199(s & 7);
s += f200(s & 7);
s += f201(s & 7);
s += f202(s & 7);
s += f203(s & 7);
s += f204(s & 7);
s += f205(s & 7);
s += f206(s & 7);
s += f207(s & 7);
s += f208(s & 7);
s += f209(s & 7);
s += f210(s & 7);
s += f211(s & 7);
s += f212(s & 7);
s += f213(s & 7);
s += f214(s & 7);
s += f215(s & 7);
s += f216(s & 7);
s += f217(s & 7);
s += f218(s & 7);
s += f219(s & 7);
s += f220(s & 7);
s += f221(s & 7);
s += f222(s & 7);
s += f223(s & 7);
s += f224(s & 7);
s += f225(s & 7);
s += f226(s & 7);
s += f227(s & 7);
s += f228(s & 7);
s += f229(s & 7);
s += f230(s & 7);
s += f231(s & 7);
s += f232(s & 7);
s += f233(s & 7);
s += f234(s & 7);
s += f235(s & 7);
s += f236(s & 7);
s += f237(s & 7);
s += f238(s & 7);
s += f239(s & 7);
s += f240(s & 7);
s += f241(s & 7);
s += f242(s & 7);
s += f243(s & 7);
s += f244(s & 7);
s += f245(s & 7);
s += f246(s & 7);
s += f247(s & 7);
s += f248(s & 7);
s += f249(s & 7);
s += f250(s & 7);
s += f251(s & 7);
s += f252(s & 7);
s += f253(s & 7);
s += f254(s & 7);
s += f255(s & 7);
s += f256(s & 7);
s += f257(s & 7);
s += f258(s & 7);
s += f259(s & 7);
s += f260(s & 7);
s += f261(s & 7);
s += f262(s & 7);
s += f263(s & 7);
s += f264(s & 7);
s += f265(s & 7);
s += f266(s & 7);
s += f267(s & 7);
s += f268(s & 7);
s += f269(s & 7);
s += f270(s & 7);
s += f271(s & 7);
s += f272(s & 7);
s += f273(s & 7);
s += f274(s & 7);
s += f275(s & 7);
s += f276(s & 7);
s += f277(s & 7);
s += f278(s & 7);
s += f279(s & 7);
s += f280(s & 7);
s += f281(s & 7);
s += f282(s & 7);
s += f283(s & 7);
s += f284(s & 7);
s += f285(s & 7);
s += f286(s & 7);
s += f287(s & 7);
s += f288(s & 7);
s += f289(s & 7);
s += f290(s & 7);
s += f291(s & 7);
s += f292(s & 7);
s += f293(s & 7);
s += f294(s & 7);
s += f295(s & 7);
s += f296(s & 7);
s += f297(s & 7);
s += f298(s & 7);
s += f299(s & 7);
printf("%d\n", s); return 0; }
